"""Actors that a user brings by a file (YAML, CSV) or a command: read, completed and checked against the territory.

Field names are those of the records (`to_record`), or their French names (`nom`, `clé`, `classe`, ...). What can be
guessed is filled in: key from the name, codes from the category, operator from the domain, fictitious numbers for `auto`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

from gateway.directory.actor_checks import check_actor, defaults_of_category
from gateway.directory.actor_faults import ActorFault
from gateway.directory.identifiers import luhn_key, matricule_key, siret_of
from gateway.directory.model import Mailbox, Operator, Territory
from gateway.directory.territory import (
    Actor,
    from_record,
    key_of,
    kind_of,
    with_actors,
)
from gateway.rules.model import Severity
from gateway.values import Text

_KINDS = {
    "structure": "structure",
    "structures": "structure",
    "professional": "professional",
    "professionals": "professional",
    "professionnel": "professional",
    "professionnels": "professional",
    "mailbox": "mailbox",
    "mailboxes": "mailbox",
    "bal": "mailbox",
    "bals": "mailbox",
    "operator": "operator",
    "operators": "operator",
    "operateur": "operator",
    "operateurs": "operator",
    "patient": "patient",
    "patients": "patient",
}
_ALIASES = {
    "cle": "key",
    "nom": "name",
    "classe": "routing_class",
    "categorie": "category",
    "secteur": "facility_type",
    "cadre": "practice_setting",
    "ville": "city",
    "code_postal": "postal_code",
    "adresse": "address",
    "type": "kind",
    "operateur": "operator",
    "titulaire": "holder",
    "structure": "holder",
    "etat": "state",
    "membres": "members",
    "liste_rouge": "red_list",
    "mot_de_passe": "password",
    "prenom": "given",
    "prenoms": "given_list",
    "nom_naissance": "family",
    "nom_utilise": "used_family",
    "prenom_utilise": "used_given",
    "sexe": "sex",
    "date_naissance": "birth_date",
    "lieu_naissance": "birth_place",
    "statut": "status",
    "attributs": "attributes",
    "domaines": "domains",
    "hote": "host",
}
_LISTS = {"domains", "members", "attributes", "structures"}
_PERSONS = {"patient", "professional"}


@dataclass(frozen=True, slots=True)
class ActorsRead:
    """What was read: actors without a blocking fault, every fault, and plain passwords by address (to be hashed)."""

    actors: tuple[Actor, ...]
    faults: tuple[ActorFault, ...]
    passwords: Mapping[str, str]

    @property
    def blocked(self) -> bool:
        """At least one actor stayed out."""
        return any(f.severity is Severity.BLOCKING for f in self.faults)


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    fields: Mapping[str, Any]
    place: str = ""


def read_actors(text: str, filename: str, territory: Territory, workspace: str = "demo") -> ActorsRead:
    """The actors of a file. YAML: one list for each kind, as in the shipped territory. CSV: a column `kind` (or `type_acteur`).

    In CSV a comma or a semicolon separates columns, `|` the values of a list. Never raises.
    """
    rows, faults = _csv_rows(text) if filename.lower().endswith(".csv") else _yaml_rows(text)
    return _read(rows, faults, territory, workspace)


def read_actor(kind: str, fields: Sequence[str], territory: Territory, workspace: str = "demo") -> ActorsRead:
    """One actor from `field=value` words, as a command line gives them."""
    pairs = dict(word.split("=", 1) for word in fields if "=" in word)
    faults = [
        _fault(kind, word, word, "mot sans `=`.", "word without `=`.", "Écrire champ=valeur.", "Write field=value.")
        for word in fields
        if "=" not in word
    ]
    return _read([_Row(kind, pairs)], faults, territory, workspace)


def _fault(
    actor: str, field: str, received: str, fr: str, en: str, cure_fr: str, cure_en: str, place: str = ""
) -> ActorFault:
    return ActorFault(actor, field, received, Text(fr, en), Text(cure_fr, cure_en), place=place)


def _yaml_rows(text: str) -> tuple[list[_Row], list[ActorFault]]:
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [], [_unreadable("YAML", str(error).splitlines()[0])]
    if not isinstance(document, Mapping):
        return [], [_unreadable("YAML", type(document).__name__)]
    rows = [
        _Row(str(kind), entry, f"{kind}[{number}]")
        for kind, entries in document.items()
        if isinstance(entries, list)
        for number, entry in enumerate(entries, 1)
        if isinstance(entry, Mapping)
    ]
    return rows, [] if rows else [_unreadable("YAML", ", ".join(map(str, document)))]


def _unreadable(form: str, received: str) -> ActorFault:
    return _fault(
        "fichier",
        form,
        received,
        f"fichier {form} sans acteur lisible.",
        f"{form} file without a readable actor.",
        "YAML : `structures:` suivi d'une liste ; CSV : une ligne d'en-tête avec une colonne `kind`.",
        "YAML: `structures:` and a list; CSV: a header line with a column `kind`.",
    )


def _csv_rows(text: str) -> tuple[list[_Row], list[ActorFault]]:
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return [], [_unreadable("CSV", "")]
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    rows = []
    for number, row in enumerate(csv.DictReader(StringIO("\n".join(lines)), delimiter=delimiter), 2):
        fields = {(name or "").strip(): (value or "").strip() for name, value in row.items() if isinstance(value, str)}
        kind = fields.pop("type_acteur", "") or fields.pop("kind", "")
        # a mailbox has a kind of its own (ORG, PER): in CSV it is the column `bal_kind`
        if "bal_kind" in fields:
            fields["kind"] = fields.pop("bal_kind")
        rows.append(_Row(kind, {n: v for n, v in fields.items() if v}, f"l. {number}"))
    return rows, []


def _read(rows: Iterable[_Row], faults: Iterable[ActorFault], territory: Territory, workspace: str) -> ActorsRead:
    found: list[tuple[Actor, str]] = []
    told = list(faults)
    passwords: dict[str, str] = {}
    known = territory
    for row in rows:
        kind = _KINDS.get(_plain(row.kind))
        if kind is None:
            told.append(_unknown_kind(row))
            continue
        fields = {_name(kind, str(n)): v for n, v in row.fields.items()}
        password = str(fields.pop("password", "") or fields.pop("demo_password", ""))
        try:
            completed, more = _completed(kind, fields, known, workspace)
            actor = from_record(kind, str(completed.get("key") or completed.get("id") or ""), completed)
        except (ValueError, TypeError) as error:
            told.append(_not_made(kind, str(error), row.place))
            continue
        added = (*more, actor)
        found += [(a, row.place) for a in added]
        known = with_actors(known, added)
        if password and isinstance(actor, Mailbox):
            passwords[actor.address] = password
    for actor, place in found:
        told += [
            ActorFault(f"{kind_of(actor)} {key_of(actor)}", field, received, message, cure, severity, place)
            for field, received, message, cure, severity in check_actor(actor, known)
        ]
    blocked = {f.actor for f in told if f.severity is Severity.BLOCKING}
    kept = tuple(a for a, _ in found if f"{kind_of(a)} {key_of(a)}" not in blocked)
    return ActorsRead(kept, tuple(told), passwords)


def _unknown_kind(row: _Row) -> ActorFault:
    return _fault(
        row.kind or "?",
        "kind",
        row.kind,
        "sorte d'acteur inconnue.",
        "unknown kind of actor.",
        "Écrire structure, professional, bal, operator ou patient.",
        "Write structure, professional, bal, operator or patient.",
        row.place,
    )


def _not_made(kind: str, reason: str, place: str) -> ActorFault:
    missing = re.findall(r"'(\w+)'", reason) if "missing" in reason else []
    fields = ", ".join(missing)
    return _fault(
        kind,
        fields or "?",
        reason,
        f"champ obligatoire absent : {fields}." if fields else f"valeur refusée ({reason}).",
        f"mandatory field missing: {fields}." if fields else f"value refused ({reason}).",
        "Compléter l'acteur ; `passerelle actors list` montre des exemples.",
        "Complete the actor; `passerelle actors list` shows examples.",
        place,
    )


def _name(kind: str, name: str) -> str:
    plain = _plain(name)
    if kind in _PERSONS and plain == "nom":
        return "family"
    if kind == "professional" and plain == "structure":
        return "structures"
    return _ALIASES.get(plain, plain)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")


def _completed(
    kind: str, fields: dict[str, Any], territory: Territory, workspace: str
) -> tuple[dict[str, Any], tuple[Actor, ...]]:
    """The record with what can be guessed, and actors that change with it (an operator that gains a domain)."""
    record = {
        name: _list(value) if name in _LISTS else _numbers(value) if name == "ipp" else _text(value)
        for name, value in fields.items()
    }
    complete = {
        "structure": _structure,
        "professional": _professional,
        "operator": _operator,
        "mailbox": _mailbox,
        "patient": _patient,
    }[kind]
    return complete(record, territory, workspace)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(v) for v in value]
    return [part for part in re.split(r"[|,\s]+", _text(value)) if part]


def _numbers(value: Any) -> dict[str, str]:
    """Local patient numbers by structure key: a mapping, or `ehpad-x:R12 ch-y:445`."""
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items()}
    return dict(part.split(":", 1) for part in _list(value) if ":" in part)


_Completed = tuple[dict[str, Any], tuple[Actor, ...]]


def _structure(record: dict[str, Any], territory: Territory, workspace: str) -> _Completed:
    record.setdefault("key", _plain(record.get("name", "")).replace("_", "-"))
    record.setdefault("category", "")
    for field, value in defaults_of_category(record["category"]).items():
        record.setdefault(field, value)
    known = territory.structures.get(record["key"])
    if known is not None:  # the same structure again keeps its numbers
        record.update({n: getattr(known, n) for n in ("finess", "siret") if record.get(n) == "auto"})
    if record.get("finess") == "auto":
        taken = {s.finess for s in territory.structures.values()}
        record["finess"] = next(n for n in map(_finess, range(500, 1000)) if n not in taken)
    if record.get("siret") == "auto":
        taken = {s.siret for s in territory.structures.values()}
        record["siret"] = next(n for n in map(siret_of, range(500, 1000)) if n not in taken)
    domain, operator = record.pop("domain", "") or record.pop("domaine", ""), record.pop("operator", "")
    return record, _with_domain(domain.lower(), operator, territory)


def _finess(number: int) -> str:
    body = f"48099{number:03d}"
    return body + luhn_key(body)


def _with_domain(domain: str, operator: str, territory: Territory) -> tuple[Actor, ...]:
    """The operator that gains the domain: the one named, else the first played here. Nothing when it is served already."""
    if not domain or territory.operator_of_domain(domain) is not None:
        return ()
    local = [o for o in territory.operators.values() if o.local]
    chosen = territory.operators.get(operator) or (local[0] if local and not operator else None)
    return () if chosen is None else (replace(chosen, domains=(*chosen.domains, domain)),)


def _professional(record: dict[str, Any], territory: Territory, workspace: str) -> _Completed:
    record.setdefault("key", _plain(f"{record.get('family', '')} {record.get('given', '')}").replace("_", "-"))
    record.setdefault("profession", "10")
    if record.get("rpps") == "auto":
        taken = {p.rpps for p in territory.professionals.values()}
        record["rpps"] = next(n for n in map(_rpps, range(500, 100_000)) if n not in taken)
    return record, ()


def _rpps(number: int) -> str:
    body = f"99948{number:05d}"
    return body + luhn_key(body)


def _operator(record: dict[str, Any], territory: Territory, workspace: str) -> _Completed:
    record.setdefault("id", record.pop("key", "") or "op-" + _plain(record.get("name", "")).replace("_", "-"))
    record["domains"] = [d.lower() for d in record.get("domains", [])]
    if record["domains"]:
        record.setdefault("host", f"smtp.{record['domains'][0]}")
    if record.get("structure_id") in (None, "", "auto"):
        taken = {o.structure_id for o in territory.operators.values()}
        record["structure_id"] = next(n for n in (f"3{siret_of(i)}" for i in range(400, 500)) if n not in taken)
    listener = record.pop("listener", "")
    record["listener"] = int(listener) if str(listener) else None
    return record, ()


def _mailbox(record: dict[str, Any], territory: Territory, workspace: str) -> _Completed:
    record["address"] = str(record.get("address", "")).lower()
    record["kind"] = str(record.get("kind", "ORG")).upper()
    domain = record["address"].rpartition("@")[2]
    more = _with_domain(domain, record["operator"], territory) if record.get("operator") else ()
    operator = territory.operator_of_domain(domain)
    changed: Operator | None = next((a for a in more if isinstance(a, Operator)), None)
    record.setdefault("operator", changed.id if changed else operator.id if operator else "")
    if "red_list" in record:
        record["red_list"] = str(record["red_list"]).lower() in ("true", "oui", "o", "1", "yes")
    return record, more


def _patient(record: dict[str, Any], territory: Territory, workspace: str) -> _Completed:
    record.setdefault("key", _plain(f"{record.get('family', '')} {record.get('given', '')}").replace("_", "-"))
    if record.get("given_list") and not record.get("given"):
        record["given"] = str(record["given_list"]).split(" ")[0]
    record.setdefault("given_list", record.get("given", ""))
    record.setdefault("birth_place", "48901")
    if record.get("matricule") == "auto":
        record["matricule"] = _free_matricule(record, territory)
    if record.get("matricule"):
        record["matricule"] = re.sub(r"\s", "", str(record["matricule"])).upper()
        record.setdefault("oid", "1.2.250.1.213.1.4.10")
    else:
        record.setdefault("status", "PROV")
    record.setdefault("source", "ajouté par l'utilisateur")
    return record, ()


def _free_matricule(record: Mapping[str, Any], territory: Territory) -> str:
    """A matricule nobody of the territory has: order numbers from 500. Raises ValueError when the traits do not allow one."""
    sex, birth, place = (str(record.get(n, "")) for n in ("sex", "birth_date", "birth_place"))
    if (
        sex not in ("M", "F")
        or re.fullmatch(r"\d{4}-\d\d-\d\d", birth) is None
        or re.fullmatch(r"\d{5}", place) is None
    ):
        raise ValueError("matricule=auto: sex (M, F), birth_date (AAAA-MM-JJ), birth_place (48901-48930)")
    head = f"{'1' if sex == 'M' else '2'}{birth[2:4]}{birth[5:7]}{place}"
    taken = {p.matricule for p in territory.patients.values()}
    numbers = (f"{head}{order:03d}" for order in range(500, 1000))
    return next(n + matricule_key(n) for n in numbers if n + matricule_key(n) not in taken)
