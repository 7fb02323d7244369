"""The actors of a territory: operators, structures, professionals, mailboxes, patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RoutingClass(StrEnum):
    """Who may receive what (`docs/glossary.md`, routing class)."""

    SAN = "SAN"
    MS = "MS"
    SOC_L312 = "SOC-L312"
    SOC_SIAO = "SOC-SIAO"
    MDPH = "MDPH"
    CD_EMS = "CD-EMS"
    CD_ADM = "CD-ADM"
    USAGER = "USAGER"


class MailboxKind(StrEnum):
    """TRE_R257-TypeBAL, plus the citizen's."""

    PER = "PER"
    ORG = "ORG"
    APP = "APP"
    CAB = "CAB"
    PATIENT = "PATIENT"


class MailboxState(StrEnum):
    """Life cycle of a mailbox."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Operator:
    """A MSSanté operator: its id, its domains, the rank of its SMTP listener (2525 + rank), its host name.

    `local` operators are played by this gateway; others are foreign (they only have listed domains and DNs).
    """

    id: str
    name: str
    host: str
    domains: tuple[str, ...]
    structure_id: str  # Struct_IdNat placed in the OU of its certificate
    listener: int | None = None
    address: str = ""  # host:port of its own server, when it is played by somebody's software; '' = cannot be reached

    @property
    def local(self) -> bool:
        """Played by this gateway."""
        return self.listener is not None


@dataclass(frozen=True, slots=True)
class Structure:
    """An establishment. `finess` has 9 characters, `siret` 14 digits or is ''. `key` names it in commands."""

    key: str
    name: str
    finess: str
    routing_class: RoutingClass
    category: str  # ESMS kind or other: EHPAD, SSIAD, IME, CH, MDPH, ...
    facility_type: str  # healthcareFacilityTypeCode: SA17, SA01, ...
    practice_setting: str  # practiceSettingCode: ESSMS, ETABLISSEMENT, ...
    siret: str = ""
    city: str = ""
    postal_code: str = ""
    siege: str = ""  # key of the legal entity that holds its certificates, if another

    @property
    def struct_id_nat(self) -> str:
        """Struct_IdNat: 1 + FINESS, else 3 + SIRET."""
        return f"1{self.finess}" if self.finess else f"3{self.siret}"


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional. `rpps` has 11 digits; `specialty` is a JDV_J01 code (G15_10/SM26)."""

    key: str
    family: str
    given: str
    rpps: str
    profession: str  # G15 code: 10 doctor, 60 nurse, 21 pharmacist, ...
    specialty: str = ""
    specialty_label: str = ""
    structures: tuple[str, ...] = ()

    @property
    def ps_id_nat(self) -> str:
        """PS_IdNat: 8 + RPPS."""
        return f"8{self.rpps}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A BAL. `holder` is the key of a structure, of a professional, or of a patient."""

    address: str  # lower case
    kind: MailboxKind
    operator: str
    holder: str
    service: str = ""
    description: str = ""
    red_list: bool = False
    state: MailboxState = MailboxState.ACTIVE
    secret: str = ""  # 'scrypt$salt$hash' of the application password; '' = none
    members: tuple[str, ...] = ()  # professionals allowed on an ORG mailbox

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Patient:
    """A synthetic person: INS (or none), strict traits, status of the identity and its attributes.

    `birth_date` is AAAA-MM-JJ; `sex` M or F; `status` one of PROV, RECUP, VALI, QUAL; `attributes` among homonyme,
    douteuse, fictive. `source` says which published base or fictitious commune the identity comes from.
    """

    key: str
    family: str
    given: str
    given_list: str
    sex: str
    birth_date: str
    birth_place: str
    matricule: str = ""
    oid: str = ""
    used_family: str = ""
    used_given: str = ""
    status: str = "QUAL"
    attributes: tuple[str, ...] = ()
    dmp_state: str = "active"  # active | closed | absent
    ipp: Mapping[str, str] = field(default_factory=dict)  # structure key -> local id
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of the whitelist: a domain and one certificate DN allowed for it (RFC 2253 order, CN first)."""

    domain: str
    dn: str
    operator: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Territory:
    """Every actor of one workspace, indexed. Rebuilt whole when one changes: readers never see half a change."""

    operators: Mapping[str, Operator]
    structures: Mapping[str, Structure]
    professionals: Mapping[str, Professional]
    mailboxes: Mapping[str, Mailbox]  # by address, lower case
    patients: Mapping[str, Patient]
    listings: tuple[Listing, ...]

    def operator_of_domain(self, domain: str) -> Operator | None:
        """The operator whose list of domains holds this one, exactly (no wildcard, no parent), case folded."""
        wanted = domain.casefold()
        return next((o for o in self.operators.values() if wanted in o.domains), None)

    def dns_of_domain(self, domain: str) -> tuple[str, ...]:
        """The DNs listed for a domain; empty when the domain is not in the whitelist."""
        wanted = domain.casefold()
        return tuple(entry.dn for entry in self.listings if entry.domain == wanted)

    def holder_of(self, mailbox: Mailbox) -> Structure | Professional | Patient | None:
        """Who a mailbox belongs to."""
        if mailbox.kind is MailboxKind.PATIENT:
            return self.patients.get(mailbox.holder)
        return self.structures.get(mailbox.holder) or self.professionals.get(mailbox.holder)
