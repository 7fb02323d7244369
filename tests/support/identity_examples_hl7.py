"""The examples of INS-075 to 082, 100 to 116, 157 and 159: a PID the rule accepts, then the nearest one it refuses.

They are whole messages, opened as a door would open them.
"""

from __future__ import annotations

from gateway.identity.model import IdentityView
from tests.support.hl7_messages import HOME, INS, IPP, NULL_INS, Pid, adt, changed, view_of
from tests.support.identity_views import COLETTE, ODETTE, cda, datamatrix, hl7, ins, ipp

OLD_INS = INS.replace(ODETTE, COLETTE)


def _a47(ids: str, *more: str, status: str = "VALI") -> IdentityView:
    return view_of(adt(Pid(ids=f"{IPP}~{ids}", status=status), *more, event="A47", structure="ADT_A30"))


def _zfd(fields: str) -> IdentityView:
    return view_of(adt(None, f"ZFD|{fields}"))


VIEWS: dict[str, tuple[IdentityView, IdentityView]] = {
    "INS-075": (changed(ids=IPP, status="PROV~DOUT~HOMA"), changed(ids=IPP, status="PROV~DOUT~FICT")),
    "INS-076": (changed(ids=IPP, status="PROV~DOUT"), changed(ids=IPP, status="VALI~DOUT")),
    "INS-078": (changed(status="VALI~HOMA"), changed(status="PROV~VALI")),
    "INS-080": (_zfd("||Y|N|INSI|20260301|CN"), _zfd("||Y|N|INSI|20260301")),
    "INS-081": (_zfd("||Y|N|INSI|20260301|TC"), _zfd("||Y|N|INSI|20260301|PC")),
    "INS-082": (_zfd("||Y|N|INSI||CN"), _zfd("||Y|N|||CN")),
    "INS-100": (changed(), changed(status="")),
    "INS-101": (changed(ids=IPP, status="PROV"), changed(status="PROV")),
    "INS-102": (changed(status="VALI~HOMA"), changed(status="VALI~QUAL")),
    "INS-103": (changed(), changed(names="BRUNEL^ODETTE^ODETTE JEANNE^^^^D")),
    "INS-104": (
        changed(names="BRUNEL^ODETTE^ODETTE JEANNE^^^^L~OD^^^^^^S"),
        changed(names="BRUNEL^ODETTE^ODETTE JEANNE^^^^L~MARTIN^^^^^^M"),
    ),
    "INS-105": (changed(), changed(names="BRUNEL^ODETTE^^^^^L")),
    "INS-106": (changed(), changed(names="BRUNEL^ODETTE^ODETTE JEANNE^^^L")),
    "INS-107": (_zfd("||Y|N|INSI|20260301"), _zfd("||Y|Y|INSI|20260301")),
    "INS-108": (changed(), changed(addresses=HOME)),
    "INS-109": (changed(), changed(addresses=f"{HOME}^^48907")),
    "INS-110": (changed(), changed(ids=f"{IPP}~{INS}^^20101207")),
    "INS-111": (changed(), view_of(adt(Pid(others={19: ODETTE})))),
    "INS-112": (changed(ids=IPP, sex="U"), changed(ids=IPP, sex="O")),
    "INS-113": (_a47(INS, f"MRG|{OLD_INS}"), _a47(INS)),
    "INS-116": (_zfd("||Y|N|SM|20260301"), _zfd("||Y|N|SM")),
}

MESSAGES: dict[str, tuple[tuple[IdentityView, ...], tuple[IdentityView, ...]]] = {
    "INS-157": ((hl7(), cda()), (hl7(identifiers=(ins(type_code="INS"), ipp("CH000103"))), cda())),
    "INS-159": (
        (datamatrix(), cda()),
        (datamatrix(), cda(identifiers=(ipp(type_code=""),), ins_expected=False)),
    ),
}

DELETION = _a47(NULL_INS, f"MRG|{OLD_INS}", status="PROV")
