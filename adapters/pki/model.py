"""What the authority issues, to whom, and with which deliberate fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Profile(StrEnum):
    """The certificate products the sandbox imitates."""

    SERVER = "server"  # operator host: TLS server and TLS client, SERV/SSL_SERV
    AUTH_CLIENT = "auth-client"  # structure or software: ORG/AUTH_CLI
    SIGN = "sign"  # structure's seal (cachet): ORG/SIGN
    PROFESSIONAL_AUTH = "professional-auth"  # card-like: authentication of a professional
    PROFESSIONAL_SIGN = "professional-sign"  # card-like: signature of a professional


class Fault(StrEnum):
    """A certificate made wrong on purpose, after the audit cases of the trust space."""

    NONE = ""
    EXPIRED = "expired"  # cert-expire
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"  # cert-revoque
    OTHER_CA = "other-ca"  # cert-non-igc
    LOOKALIKE = "lookalike"  # issuer DN merely contains IGC-SANTE
    CN_DIFF = "cn-diff"  # cert-cn-diff-dn: the CN is not the one asked for
    WRONG_EKU = "wrong-eku"  # e-mail protection only


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names. `common_name` is a host, a service, or a PS_IdNat (`8` + RPPS) for a professional.

    `organisation` is cut at 40 characters, as IGC-Santé does; `structure_id` is a Struct_IdNat and goes to the OU;
    `state` is written `Paris (75)`. `family`, `given` and `title` are for professionals.
    """

    common_name: str
    organisation: str = ""
    structure_id: str = ""
    state: str = ""
    country: str = "FR"
    family: str = ""
    given: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """One line of the authority's index. `dn` is CN first (RFC 2253), as the whitelist lists it.

    `key` names the certificate in commands and settings (`operator:idf`, `structure:ehpad-tilleuls:auth-client`);
    `fingerprint` is SHA-256 in lower-case hex; `issuer` is `org`, or the name of a foreign authority.
    """

    key: str
    profile: Profile
    dn: str
    serial: int
    fingerprint: str
    not_before: datetime
    not_after: datetime
    workspace: str = ""
    hosts: tuple[str, ...] = ()
    fault: Fault = Fault.NONE
    issuer: str = "org"
    revoked_at: datetime | None = None
