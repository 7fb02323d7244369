"""HL7 v2 in ER7: octets into segments, segments into patients and documents.

`er7` splits and unescapes, `charset` decides in which characters, `identity` reads who the patient is, `documents` opens
the CDA an OBX carries, `opening` puts them together. Nothing here raises: what is wrong comes back as an issue.
"""
