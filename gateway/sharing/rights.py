"""Who may do what: the cells of the DMP rights matrix for the operations this sandbox plays.

Sources: PDT-INF-526 v1.8 (CPS, CPE, structure certificates) and PDT-INF-606 (AIR and Pro Santé Connect), GIE SESAM-Vitale.
A structure's certificate resolves references (TD3.1b) but lists no metadata (TD3.1a); no AIR user deposits (TD2.1).
"""

from __future__ import annotations

from enum import StrEnum

from gateway.sharing.constants import MODE_AIR, MODE_INDIRECT
from gateway.sharing.vihf import PROFESSION_SYSTEMS, Vihf
from gateway.values import Text


class Operation(StrEnum):
    """The transactions played, by their name in the matrix."""

    EXISTENCE = "TD0.2"
    DEPOSIT = "TD2.1"
    SEARCH = "TD3.1a"
    REFERENCE = "TD3.1b"


class Profile(StrEnum):
    """The columns of the matrix."""

    PROFESSIONAL = "PS non médecin"
    DOCTOR = "médecin"
    TREATING_DOCTOR = "médecin traitant"
    CLERK = "CPE"
    STRUCTURE = "certificat de structure"
    NOT_HEALTH = "PE non PS"

    @property
    def words(self) -> Text:
        """Its name for a reader."""
        return _PROFILE_WORDS[self]


_PROFILE_WORDS = {
    Profile.PROFESSIONAL: Text("PS non médecin", "professional, not a doctor"),
    Profile.DOCTOR: Text("médecin", "doctor"),
    Profile.TREATING_DOCTOR: Text("médecin traitant", "treating doctor"),
    Profile.CLERK: Text("CPE", "CPE"),
    Profile.STRUCTURE: Text("certificat de structure", "certificate of a structure"),
    Profile.NOT_HEALTH: Text("PE non PS", "PE, not of health"),
}

_ALL = frozenset({"normal", "regulation", "bris_de_glace"})
_NORMAL = frozenset({"normal"})
_NO_BREAKING = frozenset({"normal", "regulation"})
_NO_CENTRE = frozenset({"normal", "bris_de_glace"})
_NEVER: frozenset[str] = frozenset()

# operation -> profile -> access modes in which it is allowed
CARD_AND_STRUCTURE = {
    Operation.EXISTENCE: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.CLERK: _NORMAL,
        Profile.STRUCTURE: _NO_BREAKING,
    },
    Operation.DEPOSIT: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.CLERK: _NEVER,  # a secretary deposits by TD2.2
        Profile.STRUCTURE: _NO_BREAKING,
    },
    Operation.SEARCH: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.CLERK: _NEVER,
        Profile.STRUCTURE: _NEVER,
    },
    Operation.REFERENCE: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.CLERK: _NORMAL,
        Profile.STRUCTURE: _NO_BREAKING,
    },
}
REINFORCED = {
    Operation.EXISTENCE: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.NOT_HEALTH: _NORMAL,
    },
    Operation.DEPOSIT: {},
    Operation.SEARCH: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
    },
    Operation.REFERENCE: {
        Profile.PROFESSIONAL: _ALL,
        Profile.DOCTOR: _ALL,
        Profile.TREATING_DOCTOR: _NO_CENTRE,
        Profile.NOT_HEALTH: _NORMAL,
    },
}

# what the patient's record may say of a professional; only VALIDE opens a search
VALID, EXPIRED, BLOCKED, NONE = "VALIDE", "EXPIRE", "INTERDIT", "NON_EXISTE"


def profile_of(vihf: Vihf, *, treating: bool) -> Profile:
    """The column a VIHF falls in. `treating`: the patient named this professional as médecin traitant."""
    if vihf.mode == MODE_INDIRECT:
        return Profile.STRUCTURE
    first = vihf.profession
    if first is None or first.system not in PROFESSION_SYSTEMS:
        return Profile.NOT_HEALTH if vihf.mode == MODE_AIR else Profile.CLERK
    if not vihf.is_doctor:
        return Profile.PROFESSIONAL
    return Profile.TREATING_DOCTOR if treating else Profile.DOCTOR


def allowed(operation: Operation, vihf: Vihf, *, treating: bool) -> bool:
    """The cell of the matrix: may this caller do this operation in this access mode."""
    matrix = REINFORCED if vihf.mode == MODE_AIR else CARD_AND_STRUCTURE
    return vihf.access in matrix[operation].get(profile_of(vihf, treating=treating), _NEVER)


def needs_authorisation(operation: Operation, vihf: Vihf) -> bool:
    """Consultation in normal mode needs the patient's authorisation; deposit and references do not."""
    return operation is Operation.SEARCH and vihf.access == "normal"
