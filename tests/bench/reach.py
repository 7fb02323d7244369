"""How the outside reaches a gateway: the doors, with the certificate that each of them asks for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from adapters.pki.authority import Authority
from adapters.pki.model import Issued
from adapters.provision import Certificates
from adapters.testing.running import RunningGateway
from gateway.directory.territory import load_territory
from tests.bench.load import Door, client_tls
from tests.bench.mails import RECIPIENT_OPERATOR, SENDER_OPERATOR

HOST = "127.0.0.1"
DPI = "dpi@ch-brumeval.val-de-brume.mssante.fr"  # an APP mailbox: its certificate is enough to submit


@dataclass(frozen=True, slots=True)
class Reach:
    """The certificates of one data directory; the gateway may die and come back on other ports."""

    authority: Authority
    operator: Issued  # of the sending operator
    server: Issued  # of the receiving operator
    application: Issued

    @classmethod
    def of(cls, data: Path) -> Reach:
        """From a data directory that was started once."""
        authority = Authority.open(data / "pki")
        certificates, territory = Certificates(authority), load_territory()
        return cls(
            authority,
            certificates.operator(territory.operators[SENDER_OPERATOR]),
            certificates.operator(territory.operators[RECIPIENT_OPERATOR]),
            certificates.mailbox(territory.mailboxes[DPI], territory),
        )

    def files(self, issued: Issued) -> tuple[Path, Path]:
        """Chain and key."""
        return self.authority.chain_path(issued), self.authority.key_path(issued)

    @property
    def ca(self) -> Path:
        """What to trust."""
        return self.authority.bundle_path

    def reception(self, gateway: RunningGateway) -> Door:
        """The recipient's operator, as the sender's operator."""
        return self.door(gateway.port(f"smtp:{RECIPIENT_OPERATOR}"), self.operator)

    def reception_tls(self) -> ssl.SSLContext:
        """The context of the sender's operator, for a server that is no gateway."""
        return client_tls(self.ca, *self.files(self.operator))

    def submission(self, gateway: RunningGateway) -> Door:
        """The submission door, as the application of the hospital."""
        return self.door(gateway.port("submission"), self.application)

    def door(self, port: int, issued: Issued | None) -> Door:
        """A door of this machine, showing a certificate or none."""
        return Door(HOST, port, client_tls(self.ca, *(self.files(issued) if issued else ())))
