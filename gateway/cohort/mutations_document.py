"""Mutations of the CDA header alone: in a mail or an MDM it then contradicts the metadata or the PID as well."""

from __future__ import annotations

from collections.abc import Callable

from gateway.cohort.messages import Spoiling
from gateway.cohort.model import Form, Person
from gateway.cohort.mutations import CDAS, MAIL, Case, Mutation, mutation
from gateway.directory.model import Patient
from gateway.identity.model import INS_NIA
from gateway.samples.parts import changed

_PRODUCTION = "1.2.250.1.213.1.4.8"
_DOCUMENTS = (Form.MAIL, Form.MDM)


def in_cda(old: Callable[[Patient], str], new: Callable[[Patient, Case], str]) -> Callable[[Case], Spoiling]:
    """One text of the document replaced; `old` and `new` are written from the patient."""

    def spoil(case: Case) -> Spoiling:
        patient = case.person.patient
        return Spoiling(cda=lambda octets: changed(octets, old(patient), new(patient, case)))

    return spoil


def _id(patient: Patient) -> str:
    return f'<id root="{patient.oid}" extension="{patient.matricule}"/>'


def _list(patient: Patient) -> str:
    return f"<given>{patient.given_list}</given>"


def _first(patient: Patient) -> str:
    return f'<given qualifier="BR">{patient.given}</given>'


def _family(patient: Patient) -> str:
    return f'<family qualifier="BR">{patient.family}</family>'


def _born(patient: Patient) -> str:
    return f'<birthTime value="{patient.birth_date.replace("-", "")}"/>'


def _county(patient: Patient) -> str:
    return f"<county>{patient.birth_place}</county>"


def _gender(patient: Patient) -> str:
    label = "Masculin" if patient.sex == "M" else "Féminin"
    return f'code="{patient.sex}" displayName="{label}"'


def _other_sex(patient: Patient, case: Case) -> str:
    return 'code="F" displayName="Féminin"' if patient.sex == "M" else 'code="M" displayName="Masculin"'


def _other_day(patient: Patient, case: Case) -> str:
    day = int(patient.birth_date[8:]) % 28 + 1
    return f'<birthTime value="{patient.birth_date[:8].replace("-", "")}{day:02d}"/>'


def _other_century(patient: Patient, case: Case) -> str:
    year = int(patient.birth_date[:4])
    return f'<birthTime value="{year - 100 if year > 1999 else year + 100}{patient.birth_date[5:7]}{patient.birth_date[8:]}"/>'


def _two_targets(case: Case) -> Spoiling:
    def twice(octets: bytes) -> bytes:
        start, end = octets.index(b"<recordTarget>"), octets.index(b"</recordTarget>") + len(b"</recordTarget>")
        return octets[:end] + octets[start:end] + octets[end:]

    return Spoiling(cda=twice)


def _ins_after_ipp(case: Case) -> Spoiling:
    def moved(octets: bytes) -> bytes:
        ins = _id(case.person.patient).encode()
        start = octets.index(ins)
        after = octets.index(b"/>", start + len(ins)) + 2
        return octets[:start] + octets[start + len(ins) : after] + ins + octets[after:]

    return Spoiling(cda=moved)


def _hyphenated(person: Person) -> bool:
    return "-" in person.patient.family.replace("--", "")


DOCUMENT_MUTATIONS: tuple[Mutation, ...] = (
    mutation("CDA-sans-liste-des-prénoms", "CDA", CDAS, "INS-088", in_cda(_list, lambda p, case: "")),
    mutation("CDA-sans-nom-de-naissance", "CDA", CDAS, "INS-086", in_cda(_family, lambda p, case: "")),
    mutation("CDA-sans-premier-prénom", "CDA", CDAS, "INS-087", in_cda(_first, lambda p, case: "")),
    mutation(
        "CDA-sans-date-de-naissance", "CDA", CDAS, "INS-091", in_cda(_born, lambda p, case: '<birthTime value=""/>')
    ),
    mutation(
        "CDA-date-sans-jour",
        "CDA",
        CDAS,
        "INS-091",
        in_cda(_born, lambda p, case: f'<birthTime value="{p.birth_date[:4]}{p.birth_date[5:7]}"/>'),
    ),
    mutation("CDA-sans-lieu-de-naissance", "CDA", CDAS, "INS-092", in_cda(_county, lambda p, case: "<county/>")),
    mutation(
        "CDA-date-inconnue", "CDA", CDAS, "INS-033", in_cda(_born, lambda p, case: '<birthTime nullFlavor="UNK"/>')
    ),
    mutation(
        "CDA-sexe-indéterminé",
        "CDA",
        CDAS,
        "INS-057",
        in_cda(_gender, lambda p, case: 'code="UN" displayName="Indéterminé"'),
    ),
    mutation(
        "CDA-sexe-hors-table",
        "CDA",
        CDAS,
        "INS-090",
        in_cda(_gender, lambda p, case: 'code="1" displayName="Masculin"'),
    ),
    mutation(
        "CDA-qualifieur-SP",
        "CDA",
        CDAS,
        "INS-089",
        in_cda(_family, lambda p, case: f'{_family(p)}<family qualifier="SP">DURAND</family>'),
    ),
    mutation("CDA-deux-patients", "CDA", CDAS, "INS-084", _two_targets),
    mutation("CDA-IPP-avant-l-INS", "CDA", CDAS, "INS-085", _ins_after_ipp),
    mutation(
        "CDA-deux-INS",
        "CDA",
        CDAS,
        "INS-028",
        in_cda(_id, lambda p, case: _id(p) + f'<id root="{p.oid}" extension="{case.other.patient.matricule}"/>'),
    ),
    mutation(
        "CDA-NIA-et-NIR",
        "CDA",
        CDAS,
        "INS-027",
        in_cda(
            lambda p: _id(p),
            lambda p, case: (
                f'<id root="{_PRODUCTION}" extension="{p.matricule}"/><id root="{INS_NIA}" extension="{p.matricule}"/>'
            ),
        ),
    ),
    mutation(
        "CDA-boîte-d-un-autre",
        "CDA",
        CDAS,
        "INS-093",
        in_cda(
            lambda p: '<telecom nullFlavor="NASK"/>\n      <patient>',
            lambda p, case: (
                f'<telecom value="mailto:{case.other.patient.matricule}@patient.mssante.fr"/>\n      <patient>'
            ),
        ),
    ),
    mutation(
        "CDA-INS-d-un-autre",
        "CDA et l'autre contenant",
        _DOCUMENTS,
        "INS-150 INS-157",
        in_cda(lambda p: p.matricule, lambda p, case: case.other.patient.matricule),
    ),
    mutation("CDA-autre-date", "CDA et l'autre contenant", _DOCUMENTS, "INS-155", in_cda(_born, _other_day)),
    mutation("CDA-autre-siècle", "CDA et l'autre contenant", _DOCUMENTS, "INS-064", in_cda(_born, _other_century)),
    mutation("CDA-autre-sexe", "CDA et l'autre contenant", _DOCUMENTS, "INS-154", in_cda(_gender, _other_sex)),
    mutation(
        "CDA-autre-nom",
        "CDA et l'autre contenant",
        _DOCUMENTS,
        "INS-151",
        in_cda(_family, lambda p, case: '<family qualifier="BR">ZEPHYRIN</family>'),
    ),
    mutation(
        "CDA-nom-sans-trait-d-union",
        "CDA et l'autre contenant",
        _DOCUMENTS,
        "INS-152",
        in_cda(_family, lambda p, case: _family(p).replace(p.family, p.family.replace("-", " "))),
        _hyphenated,
    ),
    mutation(
        "CDA-autre-prénom",
        "CDA et l'autre contenant",
        _DOCUMENTS,
        "INS-153",
        in_cda(_first, lambda p, case: '<given qualifier="BR">BARNABE</given>'),
    ),
    mutation(
        "CDA-autre-lieu",
        "CDA et l'autre contenant",
        _DOCUMENTS,
        "INS-156",
        in_cda(_county, lambda p, case: "<county>99109</county>"),
    ),
    mutation("CDA-sans-INS", "CDA", MAIL, "INS-140", in_cda(_id, lambda p, case: "")),
)
