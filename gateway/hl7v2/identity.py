"""Who a PID segment says the patient is, with the MRG, ZFD and ZFA that belong to it.

| field      | read as                                                                                      |
|------------|----------------------------------------------------------------------------------------------|
| PID-3      | identifiers: CX-1, OID of CX-4.2, type of CX-5; CX-7 and CX-8 for INS-110                     |
| PID-5      | type L: birth name, first given name (XPN-2), list (XPN-3); type D: the names in use          |
| PID-7, 8   | birth date, sex                                                                              |
| PID-11     | type BDL: COG of the birthplace in XAD-9 (BR, an older habit, when there is no BDL)           |
| PID-32     | reliability: status, then attributes                                                         |
| MRG-1      | the identifiers replaced or withdrawn                                                        |
| ZFD, ZFA   | corrected date, how the identity was obtained and proven; the patient's DMP                   |

Values stay as written. The HL7 null `""` is kept as an identifier's value (a deletion says it) and reads as empty elsewhere.

Source: IHE PAM France 2.11.2; HL7 France data types 1.8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.hl7v2.er7 import NULL, Repetition, Segment
from gateway.identity.facts import CodeTold, DeclaredStatus, Hl7Facts, MergedId, XadAddress, XpnName
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.values import Located

_OID = re.compile(r"[0-2](?:\.[0-9]{1,40}){1,30}")
_PATIENT_DOMAIN = "@patient."
_BIRTHPLACE = "BDL"
_OLD_BIRTHPLACE = "BR"
_COMPONENTS = 23  # of an XAD
MOST_PATIENTS = 500

# Families that speak of one patient: several PID in one message are then several containers of the same person.
_ONE_PATIENT = frozenset({"ORU", "MDM", "OUL"})


@dataclass(slots=True)
class PatientGroup:
    """A PID and the segments that follow it and speak of the same patient."""

    pid: Segment
    merge: Segment | None = None
    demography: Segment | None = None  # ZFD
    dmp: Segment | None = None  # ZFA


def groups_of(segments: list[Segment]) -> list[PatientGroup]:
    """The patients of a message, in order. A MRG, ZFD or ZFA belongs to the PID before it; only the first of each is read."""
    groups: list[PatientGroup] = []
    for segment in segments:
        name = segment.name
        if name == "PID":
            if len(groups) >= MOST_PATIENTS:
                break
            groups.append(PatientGroup(segment))
        elif not groups:
            continue
        elif name == "MRG":
            groups[-1].merge = groups[-1].merge or segment
        elif name == "ZFD":
            groups[-1].demography = groups[-1].demography or segment
        elif name == "ZFA":
            groups[-1].dmp = groups[-1].dmp or segment
    return groups


def views_of(groups: list[PatientGroup], message: str, event: str) -> tuple[IdentityView, ...]:
    """One view for each PID: `pid`, `pid#2`… Where a message is about several persons each has its own."""
    apart = len(groups) > 1 and message not in _ONE_PATIENT
    views = []
    for number, group in enumerate(groups, 1):
        label = "pid" if number == 1 else f"pid#{number}"
        views.append(_view(group, label, message, event, label if apart else ""))
    return tuple(views)


def _view(group: PatientGroup, label: str, message: str, event: str, person: str) -> IdentityView:
    pid = group.pid
    identifiers = tuple(_identifier(cx) for cx in pid.repetitions(3))
    names = list(_names(pid))
    birth = next((rep for rep, name in names if name.type_code == "L" or name.misplaced_type == "L"), None)
    used = next((rep for rep, name in names if name.type_code == "D"), None)
    addresses = tuple(_address(xad) for xad in pid.repetitions(11))
    declared = _declared(group)
    return IdentityView(
        kind=ContainerKind.HL7,
        label=label,
        where=pid.where(),
        identifiers=identifiers,
        birth_family=birth.located(1) if birth is not None else None,
        birth_given=birth.located(2) if birth is not None else None,
        given_list=birth.located(3) if birth is not None else None,
        used_family=used.located(1) if used is not None else None,
        used_given=used.located(2) if used is not None else None,
        birth_date=pid.located(7),
        sex=pid.located(8),
        birth_place=_birth_place(pid),
        status=_status(declared),
        mailbox=_mailbox(pid),
        ins_expected=any(i.type_code == "INS" for i in identifiers),
        person=person,
        declared=declared,
        hl7=_facts(group, message, event, tuple(name for _, name in names), addresses),
    )


def _identifier(cx: Repetition) -> PatientIdentifier:
    """A CX. CX-4.2 is an OID by its form, whatever CX-4.3 says; a FINESS or a local authority is no OID."""
    authority = cx.text(4, 2)
    oid = authority if _OID.fullmatch(authority) else ""
    named = cx.text(4)
    return PatientIdentifier(
        value=cx.text(1),
        oid=oid,
        where=cx.where(),
        type_code=cx.text(5).strip(),
        assigning_name=named if oid or not authority else f"{named}&{authority}",
        starts=cx.text(7),
        ends=cx.text(8),
    )


def _names(pid: Segment) -> Iterator[tuple[Repetition, XpnName]]:
    for rep in pid.repetitions(5):
        yield (
            rep,
            XpnName(
                where=rep.where(),
                family=_plain(rep.text(1)),
                given=_plain(rep.text(2)),
                given_list=_plain(rep.text(3)),
                type_code=rep.text(7).strip(),
                suffix=rep.text(4),
                degree=rep.text(6).strip(),
                representation=rep.text(8).strip(),
            ),
        )


def _plain(value: str) -> str:
    return "" if value == NULL else value


def _address(xad: Repetition) -> XadAddress:
    parts = xad.parts
    told = tuple((n, xad.text(n)) for n in range(1, min(len(parts), _COMPONENTS) + 1) if parts[n - 1])
    return XadAddress(xad.where(), xad.text(7).strip(), told)


def _birth_place(pid: Segment) -> Located | None:
    """XAD-9 of the repetition of type BDL, else of the older type BR."""
    older: Located | None = None
    for xad in pid.repetitions(11):
        kind = xad.text(7).strip()
        if kind == _BIRTHPLACE:
            told = xad.located(9)
            if told is not None:
                return told
        elif kind == _OLD_BIRTHPLACE:
            older = older or xad.located(9)
    return older


def _declared(group: PatientGroup) -> DeclaredStatus:
    codes = tuple(
        CodeTold(code, rep.where())
        for rep in group.pid.repetitions(32)
        if (code := rep.text(1).strip()) and code != NULL
    )
    zfd = group.demography
    if zfd is None:
        return DeclaredStatus(codes)
    return DeclaredStatus(
        codes, method=zfd.located(5), asked_on=zfd.located(6), proof=zfd.located(7), proof_ends=zfd.located(8)
    )


def _status(declared: DeclaredStatus) -> Located | None:
    """The status among the codes of PID-32: the others are attributes."""
    told = next((c for c in declared.codes if c.code in ("PROV", "VALI")), None)
    told = told or next(iter(declared.codes), None)
    return Located(told.code, told.where) if told is not None else None


def _mailbox(pid: Segment) -> Located | None:
    if _PATIENT_DOMAIN not in pid.raw:
        return None
    for number in (13, 14):
        for xtn in pid.repetitions(number):
            address = xtn.located(4)
            if address is not None and _PATIENT_DOMAIN in address.value.lower():
                return address
    return None


def _facts(
    group: PatientGroup, message: str, event: str, names: tuple[XpnName, ...], addresses: tuple[XadAddress, ...]
) -> Hl7Facts:
    merge, zfd, zfa = group.merge, group.demography, group.dmp
    return Hl7Facts(
        message=message,
        event=event,
        names=names,
        addresses=addresses,
        social_security=group.pid.located(19),
        birth_rank=group.pid.located(25),
        has_merge=merge is not None,
        merged=tuple(_merged(cx) for cx in merge.repetitions(1)) if merge is not None else (),
        lunar_date=zfd.located(1) if zfd is not None else None,
        corrected_date=zfd.located(4) if zfd is not None else None,
        dmp_status=zfa.located(1) if zfa is not None else None,
        dmp_feeding=zfa.located(9) if zfa is not None else None,
        dmp_reading=zfa.located(11) if zfa is not None else None,
    )


def _merged(cx: Repetition) -> MergedId:
    found = _identifier(cx)
    return MergedId(found.value, found.oid, found.type_code, found.where)
