"""For every identity rule: a subject it accepts and one it refuses, and the context when the usual one will not do.

The accepted subject of a rule is the nearest sound neighbour of the refused one.
"""

from __future__ import annotations

from typing import Any

from gateway.identity.model import INS_NIA, INS_NIR, INS_TEST, IdentityView
from gateway.rules import RuleContext
from gateway.values import Door
from tests.support import identity_examples_fhir, identity_examples_hl7, identity_examples_records
from tests.support.identity_views import (
    COLETTE,
    ODETTE,
    cda,
    context,
    datamatrix,
    fhir,
    hl7,
    ins,
    ipp,
    lot,
    mail,
    metadata,
    told,
    vihf,
    with_key,
)

PRODUCTION = context(ins_environment="production")
DMP = context(door=Door.DMP)

CONTEXTS: dict[str, RuleContext] = {
    "INS-022": PRODUCTION,
    "INS-030": DMP,
    "INS-135": DMP,
    "INS-195": identity_examples_records.YEARLY,
}


def _with(value: str, oid: str = INS_TEST, **traits: str) -> IdentityView:
    return cda(identifiers=(ins(value, oid),), **traits)


CORSICA = with_key("180032B020401")
ALGIERS = with_key("2360292352041")

# Judged on one container.
VIEWS: dict[str, tuple[IdentityView, IdentityView]] = {
    "INS-001": (cda(), _with(ODETTE + "1")),
    "INS-002": (cda(), _with(ODETTE[:13])),
    "INS-003": (_with(CORSICA), _with("2360248907O4179")),
    "INS-004": (cda(), _with(ODETTE[:13] + "80")),
    "INS-005": (cda(), _with(ODETTE[:13] + "98")),
    "INS-006": (cda(), _with(with_key("8360248907041"))),
    "INS-007": (cda(), _with(with_key("9360248907041"))),
    "INS-008": (_with(with_key("2362048907041")), _with(with_key("2361348907041"))),
    "INS-009": (cda(), _with(with_key("2360248907000"))),
    "INS-010": (_with(CORSICA), _with(CORSICA.lower())),
    "INS-020": (cda(), cda(identifiers=(ins(oid=""),))),
    "INS-021": (metadata(), metadata(identifiers=(ins(oid="1.2.250.1.213.1.4.12", type_code="NH"),))),
    "INS-022": (_with(ODETTE, INS_NIR), cda()),
    "INS-023": (_with("275126322074974", INS_NIR), _with(ODETTE, INS_NIR)),
    "INS-024": (cda(), cda(identifiers=(ins(), ins("0123456789012345678901", "1.2.250.1.213.1.4.2")))),
    "INS-025": (
        hl7(identifiers=(ins(ODETTE, INS_NIR, "INS", assigning_name="ASIP-SANTE-INS-NIR"),)),
        hl7(identifiers=(ins(ODETTE, INS_NIR, "INS", assigning_name="ASIP-SANTE-INS-NIA"),)),
    ),
    "INS-026": (metadata(), hl7(identifiers=(ins(type_code="INS"), ins(COLETTE, INS_NIR, "NH")))),
    "INS-027": (_with(ODETTE, INS_NIR), cda(identifiers=(ins(ODETTE, INS_NIR), ins(COLETTE, INS_NIA)))),
    "INS-028": (cda(identifiers=(ins(), ins())), cda(identifiers=(ins(), ins(COLETTE)))),
    "INS-029": (cda(), cda(identifiers=(ins(oid="1.2.250.1.213.1.4.13"),))),
    "INS-030": (metadata(), metadata(identifiers=(ipp(),))),
    "INS-031": (cda(), cda(identifiers=(ipp(type_code=""),), ins_expected=False)),
    "INS-032": (cda(), cda(sex=None)),
    "INS-033": (cda(), cda(birth_date=None, null_traits=(told("birth_date"),))),
    "INS-034": (cda(), cda(birth_family="INCONNU")),
    "INS-035": (fhir(), fhir(given_list=None)),
    "INS-036": (fhir(), fhir(birth_place="")),
    "INS-040": (cda(), cda(birth_family="Brunel")),
    "INS-041": (cda(), cda(birth_family="BRÜNEL")),
    "INS-042": (cda(birth_family="COEUR"), cda(birth_family="CŒUR")),
    "INS-043": (cda(birth_family="D'AEION"), cda(birth_family="D’AEION")),
    "INS-044": (cda(), cda(birth_family="BRUNEL2")),
    "INS-045": (cda(birth_family="BRUNEL--PETIT"), cda(birth_family="BRUNEL- PETIT")),
    "INS-046": (cda(birth_family="'T HOOFT"), cda(birth_family="BRUNEL ")),
    "INS-047": (cda(birth_family="B" * 100), cda(birth_family="B" * 101)),
    "INS-048": (cda(birth_family="B" * 26), cda(birth_family="B" * 27)),
    "INS-049": (
        cda(birth_given="ANNE", given_list="ANNE-MARIE SOPHIE"),
        cda(birth_given="MARIE", given_list="ANNE-MARIE SOPHIE"),
    ),
    "INS-051": (cda(birth_family="MERCIER"), cda(birth_family="MME BRUNEL")),
    "INS-052": (fhir(), fhir(birth_date="14/02/1936")),
    "INS-053": (cda(birth_date="20260302"), cda(birth_date="20260303")),
    "INS-054": (cda(birth_date="18960214"), cda(birth_date="18950214")),
    "INS-055": (cda(), cda(birth_date="19360231")),
    "INS-056": (cda(), cda(birth_date="19361231")),
    "INS-057": (cda(), cda(sex="UN")),
    "INS-058": (metadata(birth_place="2A004"), metadata(birth_place="BRUMEVAL")),
    "INS-059": (cda(), cda(birth_place="48000")),
    "INS-060": (cda(), cda(sex="M")),
    "INS-061": (cda(), cda(birth_date="19370214")),
    "INS-062": (_with(with_key("2362048907041")), cda(birth_date="19360314")),
    "INS-063": (cda(), _with(with_key("2362048907041"))),
    "INS-065": (cda(), cda(birth_place="48908")),
    "INS-066": (_with(CORSICA, birth_place="2B020"), _with(with_key("1800320020401"), birth_place="2B020")),
    "INS-067": (_with(ALGIERS, birth_place="48907"), _with(ALGIERS, birth_place="99352")),
    "INS-068": (cda(), _with(with_key("2360297105041"), birth_place="97105")),
    "INS-069": (
        _with(with_key("2360299127041"), birth_place="99127"),
        _with(with_key("2360299127041"), birth_place="48907"),
    ),
    "INS-070": (cda(document_date="19360214"), cda(document_date="19360213")),
    "INS-084": (cda(), cda(subject_count=2)),
    "INS-085": (cda(), cda(identifiers=(ipp(type_code=""), ins()))),
    "INS-086": (cda(), cda(birth_family=None)),
    "INS-087": (cda(), cda(birth_given=None)),
    "INS-088": (cda(), cda(given_list=None)),
    "INS-089": (cda(), cda(name_qualifiers=(told("SP"),))),
    "INS-090": (cda(), cda(sex="2")),
    "INS-091": (cda(birth_date="193602141200+0100"), cda(birth_date="1936")),
    "INS-092": (cda(), cda(birth_place=None)),
    "INS-093": (cda(mailbox=f"{ODETTE}@patient.mssante.fr"), cda(mailbox=f"{COLETTE}@patient.mssante.fr")),
    "INS-130": (metadata(), metadata(identifiers=(ins(type_code="INS"), ipp()))),
    "INS-133": (metadata(), metadata(identifiers=(ins(type_code="NH"),), has_source_id=False)),
    "INS-135": (cda(), _with(ODETTE, INS_NIR)),
    "INS-145": (mail(f"{CORSICA.lower()}@patient.mssante.fr"), mail(f"0{ODETTE}@patient.mssante.fr")),
}

OTHER = (ins(COLETTE, type_code="NH"), ipp())

# Judged on the containers of one message together.
MESSAGES: dict[str, tuple[tuple[IdentityView, ...], tuple[IdentityView, ...]]] = {
    "INS-064": ((metadata(), cda()), (metadata(birth_date="20360214"), cda())),
    "INS-131": ((lot(), metadata(), cda()), (lot(identifiers=OTHER[:1]), metadata(), cda())),
    "INS-132": ((metadata(), cda()), (metadata(sex="U"), cda())),
    "INS-134": ((vihf(), lot(), metadata()), (vihf(identifiers=OTHER[:1]), lot(), metadata())),
    "INS-136": (
        (metadata(), cda(), cda(label="cda:DOC0002.XML")),
        (
            metadata(),
            cda(),
            metadata(label="metadata:DOC0002.XML", identifiers=OTHER),
            cda(label="cda:DOC0002.XML", identifiers=(ins(COLETTE),)),
        ),
    ),
    "INS-144": ((mail(), cda()), (mail(f"{COLETTE}@patient.mssante.fr"), cda())),
    "INS-150": ((lot(), metadata(), cda()), (lot(), metadata(), cda(identifiers=(ins(COLETTE),)))),
    "INS-151": ((metadata(), cda()), (metadata(), cda(birth_family="BRUNET"))),
    "INS-152": ((metadata(), cda()), (metadata(birth_family="Brunel"), cda())),
    "INS-153": ((metadata(), cda()), (metadata(), cda(birth_given="COLETTE", given_list="COLETTE JEANNE"))),
    "INS-154": ((metadata(sex="U"), cda()), (metadata(sex="M"), cda())),
    "INS-155": ((metadata(birth_date="1936"), cda()), (metadata(birth_date="19360215"), cda())),
    "INS-156": ((fhir(), cda()), (fhir(birth_place="48908"), cda())),
    "INS-158": ((datamatrix(), cda()), (datamatrix(identifiers=(ins(COLETTE),)), cda())),
}

RECORDS = identity_examples_records.RECORDS

EXAMPLES: dict[str, tuple[Any, Any]] = {
    **VIEWS,
    **identity_examples_hl7.VIEWS,
    **identity_examples_fhir.VIEWS,
    **MESSAGES,
    **identity_examples_hl7.MESSAGES,
    **RECORDS,
}
