"""Who is who on a page: the name a reader knows first, the address below it, cut where it may wrap."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.directory.model import Mailbox, Patient, Professional, Structure, Territory
from gateway.values import Lang, Text

_ORGANISATION = re.compile(r"(?:^|,)O=((?:[^,\\]|\\.)+)")
_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:[^,\\]|\\.)+)")
_CITIZEN = Text("Mon espace santé", "Mon espace santé (citizen)")
_NULL = Text("(notification)", "(notification)")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody. `name` is '' when the territory does not know him; `local` and `domain` are the two sides of the @."""

    name: str
    local: str = ""
    domain: str = ""
    note: str = ""  # the service, the kind of structure

    @property
    def labels(self) -> tuple[str, ...]:
        """The domain in pieces that must not be cut, each with its dot: `soins.`, `val-de-brume.`, `mssante.fr`."""
        *first, last, top = ("", *self.domain.split("."))[-self.domain.count(".") - 2 :]
        return (*(f"{label}." for label in first if label), f"{last}.{top}" if last else top)

    @property
    def address(self) -> str:
        """The whole address, or ''."""
        return f"{self.local}@{self.domain}" if self.domain else self.local


def by_address(address: str, territory: Territory, lang: Lang) -> Party:
    """The holder of a mailbox."""
    if not address:
        return Party(_NULL.in_(lang))
    local, at, domain = address.rpartition("@")
    if not at:
        return Party(address.upper() if address == "dmp" else address)
    mailbox = territory.mailboxes.get(address.casefold())
    if domain.startswith("patient."):
        return Party(_CITIZEN.in_(lang), local, domain)
    if mailbox is None:
        operator = territory.operator_of_domain(domain)
        return Party("", local, domain, operator.name if operator else "")
    return Party(_holder(mailbox, territory), local, domain, mailbox.service)


def _holder(mailbox: Mailbox, territory: Territory) -> str:
    holder = territory.holder_of(mailbox)
    if isinstance(holder, Structure):
        return holder.name
    if isinstance(holder, Professional):
        return f"{holder.given} {holder.family}"
    return "" if isinstance(holder, Patient) else mailbox.holder


def by_certificate(dn: str, territory: Territory) -> Party:
    """The holder of a certificate: its organisation, else its common name."""
    found = _ORGANISATION.search(dn) or _COMMON_NAME.search(dn)
    return Party(found[1].replace("\\", "") if found else dn)


def operator_name(operator_id: str, territory: Territory) -> str:
    """How people call an operator."""
    operator = territory.operators.get(operator_id)
    return operator.name if operator else operator_id


def structure_of(struct_id_nat: str, territory: Territory) -> str:
    """The name of the structure with this Struct_IdNat, '' when the territory has none."""
    return next((s.name for s in territory.structures.values() if s.struct_id_nat == struct_id_nat), "")
