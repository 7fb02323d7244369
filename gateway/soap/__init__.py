"""SOAP 1.2 as every teleservice of the field uses it: envelopes, SAML assertions and their signature, certificates.

Shared by the DMP (`sharing`) and by INSi (`insi`); knows neither. `signing` is the key as these rooms see it.
"""
