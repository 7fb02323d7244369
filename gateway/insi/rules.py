"""What is asked of a call of INSi (INS-185 to 187), and what its answer tells (INS-188 to 190, INS-194).

Values are masked here. Source: SEL-MP-043 section 2, EF_INS01_03, EF_INS10_01, EF_INS10_02, EF_INS25_04; RNIV EXI SI 22;
Guide INS EXI ID 26, EXI REC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.identity import traits as t
from gateway.identity.cog import Place, judge_place
from gateway.insi.case import Case
from gateway.insi.model import CardData, Code, Individual, Operation, Traits, Verification
from gateway.insi.names import ROOTS
from gateway.rules.masking import mask_shape, mask_trait
from gateway.rules.model import ComparedValue, Hit, RuleContext, rule
from gateway.rules.phrases import DAY_WITH_HYPHENS
from gateway.values import PlaceKind, Text, Where

RESULT_PLACE = Where(PlaceKind.XPATH, "/Envelope/Body/RESULTAT")
_CODE_PLACE = RESULT_PLACE / "CR/CodeCR"
_FAULT_PLACE = Where(PlaceKind.XPATH, "/Envelope/Body/Fault/Detail/Erreur")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME_ALPHABET = "A-Z, ' ', ', -"


def place_of(case: Case, name: str = "") -> Where:
    """An element of the call's body."""
    operation = case.call.operation or Operation.TRAITS
    root = Where(PlaceKind.XPATH, "/Envelope/Body") / ROOTS[operation][1]
    if operation is Operation.VERIFY and name:
        inside = "INSFourni" if name in ("NumIdentifiant", "Cle", "OID") else "TraitsIdentiteIndividu"
        return root / "IndividuVerifie" / inside / name
    return root / name if name else root


@rule("INS-185")
def forbidden_identity(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A doubtful or fictive identity is never searched. Known where the workspace holds the patient."""
    if case.marked:
        expected = Text("PROV, sans attribut", "PROV, no attribute")
        yield Hit(place_of(case), case.marked, expected, params={"attribute": case.marked})


@rule("INS-186")
def mandatory_traits(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Birth name, given name, sex and birth date; the INS as well to verify; a matricule and a date to search by card."""
    for name in missing(case):
        yield Hit(place_of(case, name), "∅", name)


def missing(case: Case) -> tuple[str, ...]:
    """The elements a call must have and has not."""
    query = case.call.query
    if isinstance(query, CardData):
        numbered = any(m is not None and m.number for m in (query.own, query.holder))
        told = {"MatriculeIndividu": numbered, "DateNaissance": bool(query.birth_date)}
        return tuple(name for name, there in told.items() if not there)
    found: dict[str, bool] = {}
    if isinstance(query, Verification):
        matricule = query.ins.matricule
        found = {"NumIdentifiant": bool(matricule.number), "Cle": bool(matricule.key), "OID": bool(query.ins.oid)}
    traits = case.traits or Traits()
    found |= {
        "NomNaissance": bool(traits.family),
        "Prenom": bool(traits.given),
        "Sexe": bool(traits.sex),
        "DateNaissance": bool(traits.birth_date),
    }
    return tuple(name for name, there in found.items() if not there)


@rule("INS-187")
def trait_format(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """What the lexicon of INSi admits; the caller transliterates, nobody drops a character."""
    traits = case.traits
    if traits is None:
        query = case.call.query
        if isinstance(query, CardData) and query.birth_date and not _DATE.fullmatch(query.birth_date):
            yield Hit(place_of(case, "DateNaissance"), mask_trait(query.birth_date), DAY_WITH_HYPHENS)
        return
    names = [
        ("NomNaissance", traits.family),
        *(("Prenom", g) for g in traits.given),
        ("ListePrenom", traits.given_list),
    ]
    for name, value in names:
        if value and not name_is_admitted(value, given=name != "NomNaissance"):
            yield Hit(place_of(case, name), mask_shape(value), transliteration(value) or _NAME_ALPHABET)
    if traits.sex and traits.sex not in ("M", "F"):
        yield Hit(place_of(case, "Sexe"), traits.sex[:20], "M, F")
    if traits.birth_date and not _DATE.fullmatch(traits.birth_date):
        yield Hit(place_of(case, "DateNaissance"), mask_trait(traits.birth_date), DAY_WITH_HYPHENS)
    if traits.birth_place and judge_place(traits.birth_place) is Place.MALFORMED:
        yield Hit(place_of(case, "LieuNaissance"), mask_trait(traits.birth_place), "COG : ([0-9]{2}|2[AB])[0-9]{3}")


def name_is_admitted(value: str, *, given: bool) -> bool:
    """A name INSi takes: A to Z, space, ASCII apostrophe, hyphen; no run of separators (`--` in a birth name alone)."""
    if len(value) > t.MAX_LENGTH:
        return False
    if t.is_clean(value):
        return True
    return not (
        t.has_lower_case(value)
        or t.has_diacritic(value)
        or t.foreign_letters(value)
        or t.curly_quotes(value)
        or t.forbidden_characters(value)
        or t.doubled_separators(value, double_hyphen=not given)
        or t.edge_separator(value, given=given)
    )


def transliteration(value: str) -> str:
    """How the ligatures of a value are written, `Œ > OE`; '' when it holds none. Shows no more than the ligatures."""
    foreign = dict.fromkeys(t.foreign_letters(value[: t.EXAMINED])[:8])
    return ", ".join(f"{char} > {t.LIGATURES[char]}" for char in foreign if char in t.LIGATURES)


# ----------------------------------------------------------------------------------------------------------------- answers


@rule("INS-188")
def nobody(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """CR 01."""
    if case.answer is not None and case.answer.code is Code.NONE:
        yield Hit(_CODE_PLACE, Code.NONE.value, Code.FOUND.value)


@rule("INS-189")
def several(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """CR 02."""
    if case.answer is not None and case.answer.code is Code.SEVERAL:
        yield Hit(_CODE_PLACE, Code.SEVERAL.value, Code.FOUND.value)


@rule("INS-190")
def answer_differs(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """What comes back is not what was entered: one finding for all the traits that differ, side by side."""
    told = case.answer.individual if case.answer is not None else None
    if told is None:
        return
    compared = tuple(differences(case, told))
    if compared:
        values = tuple(
            ComparedValue(container, f"{place.path}/{name}", mask_trait(mine, (theirs,)))
            for name, asked, answered in compared
            for container, place, mine, theirs in (
                ("insi:demande", place_of(case), asked, answered),
                ("insi:reponse", RESULT_PLACE / "INDIVIDU/TIQ", answered, asked),
            )
        )
        name, asked, answered = compared[0]
        received, expected = mask_trait(answered, (asked,)), mask_trait(asked, (answered,))
        names = ", ".join(dict.fromkeys(n for n, _, _ in compared))
        yield Hit(RESULT_PLACE / "INDIVIDU/TIQ" / name, received, expected, values, {"traits": names})


def differences(case: Case, told: Individual) -> Iterator[tuple[str, str, str]]:
    """(element, asked, answered) for each trait asked for that the answer tells otherwise.

    Given names agree when what was asked is the list or its head, letter for letter: asking by the first is usual.
    """
    query = case.call.query
    if isinstance(query, CardData):
        asked = {"NomNaissance": query.family, "DateNaissance": query.birth_date}
        given = ""
    else:
        traits = case.traits or Traits()
        asked = {
            "NomNaissance": traits.family,
            "Sexe": traits.sex,
            "DateNaissance": traits.birth_date,
            "LieuNaissance": traits.birth_place,
        }
        given = " ".join(traits.given)
    answered = {
        "NomNaissance": told.family,
        "Sexe": told.sex,
        "DateNaissance": told.birth_date,
        "LieuNaissance": told.birth_place,
    }
    for name, value in asked.items():
        if value and value != answered[name]:
            yield name, value, answered[name]
    if given and not heads(given, told.given_names):
        yield "ListePrenom", given, told.given_names


def heads(given: str, given_list: str) -> bool:
    """The list begins with these given names, on a word; the first part of a compound name is a head too (EXI ID 10)."""
    return given_list == given or given_list.startswith((given + " ", given + "-", given + "'"))


@rule("INS-194")
def technical_fault(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The service answers a technical fault: it says nothing about the identity."""
    if case.technical:
        yield Hit(_FAULT_PLACE, case.technical, "RESULTAT/CR")


REQUEST_RULES = (forbidden_identity, mandatory_traits, trait_format)
ANSWER_RULES = (nobody, several, answer_differs, technical_fault)
