"""Names of the DMP's wire formats, with their source beside them.

Sources: GIE SESAM-Vitale example messages v02.05.00; IHE ITI TF-3 (ITI-18, ITI-41); W3C XOP.
"""

from __future__ import annotations

XADES = "http://uri.etsi.org/01903/v1.1.1#"
XOP = "http://www.w3.org/2004/08/xop/include"
HL7 = "urn:hl7-org:v3"
XDS = "urn:ihe:iti:xds-b:2007"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
DMP = "urn:dmp"  # namespace of our Fault subcodes

ACTION_ITI41 = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
ACTION_ITI18 = "urn:ihe:iti:2007:RegistryStoredQuery"
ACTION_TD02 = "urn:hl7-org:v3:PRPA_IN201307UV02"

# the answer's action for each request action
ANSWER_ACTION = {
    ACTION_ITI41: "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
    ACTION_ITI18: "urn:ihe:iti:2007:RegistryStoredQueryResponse",
    ACTION_TD02: "urn:hl7-org:v3:PRPA_IN201308UV02",
}

# the one action each endpoint takes
ENDPOINT_ACTION = {"repository": ACTION_ITI41, "registry": ACTION_ITI18, "patients": ACTION_TD02}

DMP_DEVICE = "1.2.250.1.213.4.1.1.1"
DMP_REPOSITORY = "1.2.250.1.213.4.1.1.1.2"

DOCUMENT_ENTRY_TYPE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
SIGNATURE_FORMAT = "http://www.w3.org/2000/09/xmldsig#"
STATUS = "urn:oasis:names:tc:ebxml-regrep:StatusType:"
RESPONSE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
SEVERITY = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:"

CONFIDENTIALITY_HL7 = "2.16.840.1.113883.5.25"
VISIBILITY = "1.2.250.1.213.1.1.4.13"  # TRE_A07
MASKED_PS = "MASQUE_PS"
HIDDEN_PATIENT = "INVISIBLE_PATIENT"
HIDDEN_REPRESENTATIVES = "INVISIBLE_REPRESENTANTS_LEGAUX"

MODE_DIRECT = "DIRECTE"
MODE_INDIRECT = "INDIRECTE"
MODE_AIR = "INDIRECTE_RENFORCEE"
