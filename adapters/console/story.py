"""The story of a message as lanes of stops: who sent it, which doors it crossed, where it rests, who read it.

A lane is a trunk (sender, first door) and branches (next operator, mailbox, reader), one for each destination. What did
not happen, or has not happened yet, is a stop too: the reader sees where the message stands still.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.console.parties import Party, by_address, by_certificate, operator_name
from adapters.console.shown import sender_of
from adapters.console.words import DOORS, NOTICES, OUTCOMES, said
from gateway.directory.model import Territory
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivery, EventRow, ExchangeRow
from gateway.rules.masking import shown_address
from gateway.values import Lang, Text

_STATES = {"accept": "done", "accept_with_alerts": "alert", "quarantine": "hold", "reject": "bad"}


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of the road. `state` is done, alert, hold, bad, wait (to come) or off (will not come)."""

    role: str
    party: Party
    said: str
    state: str
    at: datetime | None = None
    detail: str = ""
    href: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """One crossing and what followed."""

    trunk: tuple[Stop, ...]
    branches: tuple[tuple[Stop, ...], ...]


@dataclass(frozen=True, slots=True)
class Hop:
    """One exchange of the story with all that is known of it."""

    row: ExchangeRow
    events: tuple[EventRow, ...]
    deliveries: tuple[Delivery, ...] = ()


def lanes_of(hops: Sequence[Hop], here: str, territory: Territory, lang: Lang) -> tuple[Lane, ...]:
    """The lanes of a story, in the order of time. `here` is the exchange whose page it is."""
    teller = _Teller(here, territory, lang)
    receptions = [hop for hop in hops if _door(hop) == "smtp-reception"]
    lanes: list[tuple[datetime, Lane]] = []
    for hop in hops:
        if _door(hop) == "smtp-submission":
            lanes.append((hop.row.at, teller.submission(hop, receptions)))
        elif _door(hop) == "dmp":
            lanes.append((hop.row.at, teller.dmp(hop)))
        elif _door(hop) == "notice":
            lanes.append((hop.row.at, teller.notice(hop)))
    lanes += [(hop.row.at, teller.foreign(hop)) for hop in receptions if hop.row.id not in teller.told]
    return tuple(lane for _, lane in sorted(lanes, key=lambda pair: pair[0]))


def _door(hop: Hop) -> str:
    return str(hop.row.summary.get("door", ""))


def _relays(hop: Hop) -> list[Delivery]:
    """The relays of one exchange, oldest first; other deliveries (notices) are told by what they make."""
    return [delivery for delivery in reversed(hop.deliveries) if delivery.kind == "relay"]


@dataclass(slots=True)
class _Teller:
    """Tells stops in one language. `told` are the receptions that already belong to a lane."""

    here: str
    territory: Territory
    lang: Lang
    told: set[str] = field(default_factory=set)

    def say(self, fr: str, en: str) -> str:
        return Text(fr, en).in_(self.lang)

    # ------------------------------------------------------------------------------------------------------------- lanes

    def submission(self, hop: Hop, receptions: Iterable[Hop]) -> Lane:
        """A client's mail: its operator, then each destination."""
        trunk = (self._sender(hop, self.say("Expéditeur", "Sender")), self._operator(hop, self._sending_role()))
        if hop.row.summary.get("outcome") == "reject":
            return Lane(trunk, tuple((self._nothing(str(r)),) for r in hop.row.summary.get("recipients", ())))
        branches: list[tuple[Stop, ...]] = list(self._mailboxes(hop))
        for delivery in _relays(hop):
            arrived = self._arrival(delivery, receptions)
            if arrived is not None:
                branches += self._received(arrived)
            else:
                branches.append((self._relay(delivery),))
        return Lane(trunk, tuple(branches))

    def foreign(self, hop: Hop) -> Lane:
        """A mail that another operator presented."""
        certificate = str(hop.row.summary.get("sender", ""))
        relay = Stop(
            role=self.say("Opérateur émetteur", "Sending operator"),
            party=by_certificate(certificate, self.territory) if certificate else Party("?"),
            said=self.say("présente le mail", "presents the mail"),
            state="done",
            at=hop.row.at,
            detail=str(hop.row.summary.get("attributes", {}).get("tls", "")),
        )
        first, *rest = self._received(hop) or [()]
        trunk = (self._sender(hop, self.say("Expéditeur", "Sender")), relay, *first[:1])
        return Lane(trunk, tuple(branch[1:] for branch in (first, *rest) if branch[1:]))

    def notice(self, hop: Hop) -> Lane:
        """What the sender is told of his mail: that it arrived, waits or failed."""
        summary = hop.row.summary
        told = str(summary.get("notice", ""))
        about = [by_address(str(a.get("recipient", "")), self.territory, self.lang) for a in summary.get("about", ())]
        teller = Stop(
            role=self.say("Avis à l'expéditeur", "Notice to the sender"),
            party=Party(operator_name(str(summary.get("operator", "")), self.territory)),
            said=said(NOTICES, told, self.lang),
            state={"failed": "bad", "delayed": "alert", "not-integrated": "alert"}.get(told, "done"),
            at=hop.row.at,
            detail=", ".join(party.address for party in about),
            href=f"/echanges/{hop.row.id}",
            here=hop.row.id == self.here,
        )
        relays = [(self._relay(delivery),) for delivery in _relays(hop)]
        return Lane((teller,), (*self._mailboxes(hop), *relays))

    def dmp(self, hop: Hop) -> Lane:
        """A request to the DMP."""
        summary = hop.row.summary
        outcome = str(summary.get("outcome", ""))
        asked = Stop(
            role="DMP",
            party=Party(self.say("Dossier médical partagé", "Shared medical record")),
            said=said(OUTCOMES, outcome, self.lang),
            state=_STATES.get(outcome, "done"),
            at=hop.row.at,
            detail=str(summary.get("answer", "")),
            href=f"/echanges/{hop.row.id}",
            here=hop.row.id == self.here,
        )
        trunk = (self._sender(hop, self.say("Structure", "Structure")), asked)
        registered = [e for e in hop.events if e.kind == "registered"]
        if summary.get("kind") != "iti-41":
            return Lane(trunk, ())
        if not registered:
            return Lane(trunk, ((self._unregistered(),),))
        return Lane(trunk, tuple((self._registered(e),) for e in registered))

    # ------------------------------------------------------------------------------------------------------------- stops

    def _sender(self, hop: Hop, role: str) -> Stop:
        kind = str(hop.row.summary.get("sender_kind", ""))
        how = {
            "certificate": self.say("certificat", "certificate"),
            "mailbox": self.say("mot de passe applicatif", "application password"),
        }.get(kind, kind)
        sent = self.say("envoie", "sends") if _door(hop) != "dmp" else self.say("demande", "asks")
        return Stop(role, sender_of(hop.row, self.territory, self.lang), sent, "done", hop.row.at, how)

    def _sending_role(self) -> str:
        return self.say("Son opérateur", "Its operator")

    def _operator(self, hop: Hop, role: str) -> Stop:
        summary = hop.row.summary
        outcome = str(summary.get("outcome", ""))
        name = operator_name(str(summary.get("operator", "")), self.territory)
        duplicate = bool(summary.get("duplicate_of"))
        return Stop(
            role=role,
            party=Party(name, note=said(DOORS, _door(hop), self.lang)),
            said=self.say("Doublon", "Duplicate") if duplicate else said(OUTCOMES, outcome, self.lang),
            state="alert" if duplicate else _STATES.get(outcome, "done"),
            at=hop.row.at,
            detail=", ".join(summary.get("rules", ())[:3]),
            href=f"/echanges/{hop.row.id}",
            here=hop.row.id == self.here,
        )

    def _received(self, hop: Hop) -> list[tuple[Stop, ...]]:
        """The branches of a reception: the operator, then each mailbox it reached."""
        self.told.add(hop.row.id)
        door = self._operator(hop, self.say("Opérateur du destinataire", "The recipient's operator"))
        return [(door, *branch) for branch in self._mailboxes(hop)] or [(door,)]

    def _arrival(self, delivery: Delivery, receptions: Iterable[Hop]) -> Hop | None:
        """The reception that answered a delivery: same recipients, not yet told in another lane."""
        wanted = {shown_address(str(a)) for a in delivery.payload.get("recipients", ())}
        for hop in receptions:
            if hop.row.id not in self.told and wanted & {str(r) for r in hop.row.summary.get("recipients", ())}:
                return hop
        return None

    def _mailboxes(self, hop: Hop) -> list[tuple[Stop, ...]]:
        duplicate = bool(hop.row.summary.get("duplicate_of"))
        held = hop.row.summary.get("outcome") == "quarantine"
        readings = {str(e.data.get("mailbox", "")): e for e in hop.events if e.kind == "read"}
        branches: list[tuple[Stop, ...]] = []
        for event in hop.events:
            for address in event.data.get("mailboxes", ()) if event.kind == "delivered" else ():
                box = Stop(
                    role=self.say("Boîte aux lettres", "Mailbox"),
                    party=by_address(str(address), self.territory, self.lang),
                    said=self._in_box(held=held, duplicate=duplicate),
                    state="off" if duplicate else "hold" if held else "done",
                    at=None if duplicate else event.at,
                    detail="$Quarantaine" if held else "",
                )
                branches.append((box,) if duplicate else (box, self._reading(readings.get(str(address)))))
        return branches

    def _in_box(self, *, held: bool, duplicate: bool) -> str:
        if duplicate:
            return self.say("déjà remis, pas une seconde fois", "already delivered, not twice")
        if held:
            return self.say("remis, marqué", "delivered, flagged")
        return self.say("remis", "delivered")

    def _reading(self, event: EventRow | None) -> Stop:
        role = self.say("Lecture", "Reading")
        if event is None:
            return Stop(role, Party("IMAP"), self.say("pas encore lu", "not read yet"), "wait")
        return Stop(role, Party("IMAP"), self.say("lu", "read"), "done", event.at)

    def _nothing(self, address: str) -> Stop:
        party = by_address(address, self.territory, self.lang)
        return Stop(
            self.say("Destinataire", "Recipient"), party, self.say("rien n'est parti", "nothing left"), state="off"
        )

    def _relay(self, delivery: Delivery) -> Stop:
        """A relay that has not arrived at a door of ours: waiting, given up, or taken by somebody's own server."""
        operator = self.territory.operator_of_domain(delivery.destination)
        party = Party(operator.name if operator else "", "", "", delivery.destination)
        words = {
            DeliveryState.DONE: ("done", self.say("accepté", "accepted")),
            DeliveryState.DEAD: ("bad", self.say("abandonné", "given up")),
        }
        waiting = self.say(f"en attente, essai {delivery.attempt}", f"waiting, attempt {delivery.attempt}")
        state, label = words.get(delivery.state, ("wait", waiting))
        role = self.say("Opérateur du destinataire", "The recipient's operator")
        return Stop(role, party, label, state, None, delivery.last_answer[:300])

    def _registered(self, event: EventRow) -> Stop:
        count = int(event.data.get("documents", 0))
        what = self.say(f"{count} document(s) enregistré(s)", f"{count} document(s) registered")
        return Stop(
            self.say("Registre", "Registry"), Party(self.say("Entrepôt du DMP", "DMP repository")), what, "done"
        )

    def _unregistered(self) -> Stop:
        party = Party(self.say("Entrepôt du DMP", "DMP repository"))
        return Stop(
            self.say("Registre", "Registry"), party, self.say("rien n'est enregistré", "nothing registered"), "off"
        )
