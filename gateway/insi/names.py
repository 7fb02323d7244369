"""Names of the INSi wire, with their source beside them.

Source: WSDL DESIR_ICIR_EXP 1.5.0 and its schemas as public clients quote them. The request of a verification is known by
the names of its fields only (IndividuVerifie, INSFourni, TraitsIdentiteIndividu, family `INSiLot2`): its root and its
namespace are choices of this sandbox.
"""

from __future__ import annotations

from gateway.insi.model import Operation

SEARCH_TRAITS = "http://www.cnamts.fr/INSiRecSans"
SEARCH_CARD = "http://www.cnamts.fr/INSiRecVit"
RESULT = "http://www.cnamts.fr/INSiResultat"
VERIFY = "http://www.cnamts.fr/INSiLot2/REQUnitaire"
BAM = "urn:siram:bam:ctxbam"
LPS = "urn:siram:lps:ctxlps"
SIRAM = "urn:siram"
TEACHING = "urn:passerelle:insi"  # findings in the Detail of our Faults

ACTION_PREFIX = "urn:ServiceIdentiteCertifiee:1.0.0:"

ROOTS = {
    Operation.TRAITS: (SEARCH_TRAITS, "RECSANSVITALE"),
    Operation.CARD: (SEARCH_CARD, "RECVITALE"),
    Operation.VERIFY: (VERIFY, "Requete"),
}

KINDS = {Operation.TRAITS: "insi-traits", Operation.CARD: "insi-card", Operation.VERIFY: "insi-verify"}

# Common names of the software certificates that need no assertion
SOFTWARE_NAMES = frozenset({"INSI-AUTO", "INSI-MANU"})

# A fault of the service itself, by operation (the card search has its own)
TECHNICAL = {Operation.CARD: "insi_101", Operation.TRAITS: "insi_102", Operation.VERIFY: "insi_102"}


def action_of(operation: Operation) -> str:
    """`wsa:Action` of a request; the answer's has `Response` behind it."""
    return ACTION_PREFIX + operation.value
