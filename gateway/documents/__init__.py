"""CDA documents, XDM packages, XDS metadata and their PDF twins: opened, built and compared.

`open_*` modules turn untrusted bytes into the frozen values of `model`; `build_*` modules do the reverse from directory
records; the rule modules judge what was opened. No lxml element leaves this room.
"""
