"""HL7 v2 messages for tests: one sound fictional patient, and the fields of her PID one can change."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

from gateway.exchange.checking import Checker
from gateway.exchange.opening import open_message
from gateway.identity.model import IdentityView
from gateway.rules import Finding, RuleBook, RuleContext, load_catalogue
from tests.support.identity_views import ODETTE, context

INS = f"{ODETTE}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"
NULL_INS = '""^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS'
IPP = "CH000102^^^CH-BRUME&1.2.250.1.999.1&ISO^PI"
HOME = "4 rue du Lavoir^^BRUMEVAL^^48907^FRA^H"
BIRTHPLACE = "^^^^^^BDL^^48907"
BOOK = RuleBook(load_catalogue())


@dataclass(frozen=True)
class Pid:
    """The fields of a PID that tests change, as ER7."""

    ids: str = f"{IPP}~{INS}"
    names: str = "BRUNEL^ODETTE^ODETTE JEANNE^^Mme^^L~MARTIN^ODETTE^^^^^D"
    birth_date: str = "19360214"
    sex: str = "F"
    addresses: str = f"{HOME}~{BIRTHPLACE}"
    others: dict[int, str] = field(default_factory=dict)
    status: str = "VALI"

    def er7(self) -> str:
        """The segment."""
        fields = {1: "1", 3: self.ids, 5: self.names, 7: self.birth_date, 8: self.sex, 11: self.addresses}
        fields |= {32: self.status, **self.others}
        return "|".join(["PID", *(fields.get(n, "") for n in range(1, 36))]).rstrip("|")


def adt(
    pid: Pid | None = None, *more: str, event: str = "A28", structure: str = "ADT_A05", msh18: str = "UNICODE UTF-8"
) -> bytes:
    """An ADT: MSH, EVN, PID and whatever follows."""
    pid = pid or Pid()
    segments = [_msh(f"ADT^{event}^{structure}", "2.5^FRA^2.11", msh18), "EVN||20260301080000", pid.er7(), *more]
    return written(segments)


def oru(cda: bytes, pid: Pid | None = None, media: str = "XML", second: Pid | None = None) -> bytes:
    """An ORU that carries one document."""
    pid = pid or Pid()
    document = base64.b64encode(cda).decode()
    segments = [
        _msh("ORU^R01^ORU_R01", "2.5"),
        pid.er7(),
        *([second.er7()] if second is not None else []),
        "PV1|1|O",
        "ORC|NW",
        "OBR|1|||11502-2^CR d'examens biologiques^LN",
        f"OBX|1|ED|11502-2^CR d'examens biologiques^LN||^TEXT^{media}^Base64^{document}||||||F",
        "OBX|2|CE|DESTDMP^Destinataire DMP^MetaDMPMSS||Y^^expandedYes-NoIndicator||||||F",
        "OBX|3|ED|CORPSMAIL_PS^Corps du mail pour un PS^MetaDMPMSS||^TEXT^^Base64^Qm9uam91cg==||||||F",
    ]
    return written(segments)


def _msh(kind: str, version: str, msh18: str = "UNICODE UTF-8") -> str:
    return f"MSH|^~\\&|DPI|CH-BRUME|PFI|CH-BRUME|20260301080000||{kind}|SBX-1|T|{version}|||||FRA|{msh18}|||2.1^CISIS_CDA_HL7_V2"


def written(segments: list[str], codec: str = "utf-8") -> bytes:
    """Segments as octets, each ended by CR."""
    return "".join(f"{segment}\r" for segment in segments).encode(codec)


def view_of(raw: bytes) -> IdentityView:
    """The first PID of a message."""
    return open_message(raw, "hl7v2").views[0]


def changed(**changes: str) -> IdentityView:
    """The view of the sound patient with some fields of her PID changed."""
    return view_of(adt(replace(Pid(), **changes)))  # type: ignore[arg-type]


def judged_message(raw: bytes, ctx: RuleContext | None = None, book: RuleBook = BOOK) -> list[Finding]:
    """Every finding on a message of any kind, as `check` would tell it."""
    return Checker(book).check(open_message(raw), ctx or context())
