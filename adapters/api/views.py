"""Stored rows as the API shows them. Identities are masked; raw bytes are the only place where values stand in clear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from adapters.api.problems import safe
from gateway.exchange.model import OpenedMessage
from gateway.identity.model import IdentityView
from gateway.ports import Delivery, EventRow, ExchangeRow
from gateway.rules.masking import mask_json, mask_matricule, mask_text, mask_trait
from gateway.values import Located


def exchange_brief(row: ExchangeRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        "id": row.id,
        "seq": row.seq,
        "workspace": row.workspace,
        "at": row.at.isoformat(),
        "size_bytes": row.size_bytes,
        "correlation_id": row.correlation_id,
        "parent_id": row.parent_id,
        "summary": shown_attributes(row.summary),
        "findings": {"count": len(row.findings), "worst": worst_of(row)},
    }


def shown_attributes(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A stored summary, masked to its last attribute: the content type is kept as it came, to open the octets again."""
    return {**summary, "attributes": mask_json(summary.get("attributes", {}))}


def worst_of(row: ExchangeRow) -> str:
    """The worst severity of an exchange: blocking, warning, info or ''."""
    found = {str(finding["severity"]) for finding in row.findings}
    return next((s for s in ("blocking", "warning", "info") if s in found), "")


def exchange_full(row: ExchangeRow) -> dict[str, Any]:
    """One exchange with its findings."""
    return {**exchange_brief(row), "sha256": row.sha256, "findings": [dict(f) for f in row.findings]}


def event_view(row: EventRow) -> dict[str, Any]:
    """One journal event."""
    return {
        "seq": row.seq,
        "workspace": row.workspace,
        "exchange_id": row.exchange_id,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "data": dict(row.data),
        "digest": row.digest,
    }


def delivery_view(row: Delivery) -> dict[str, Any]:
    """One delivery of the outbox, without the addresses of citizens."""
    return {
        "id": row.id,
        "kind": row.kind,
        "destination": mask_text(row.destination),
        "exchange_id": row.exchange_id,
        "state": row.state.value,
        "attempt": row.attempt,
        "due": row.due.isoformat(),
        "last_answer": mask_text(row.last_answer),
    }


def opened_view(opened: OpenedMessage) -> dict[str, Any]:
    """What was found inside: parts, packages, documents, and the identities side by side (masked).

    File names and titles often hold the patient's name: it is masked there too. Labels, ids and types are the sender's own
    words: no matricule passes in them either.
    """
    mail = opened.mail
    hide = Veil(opened.views)
    parts = [
        {
            "path": p.path,
            "content_type": p.content_type,
            "filename": hide(p.filename),
            "size_bytes": p.size_bytes,
            "sha256": p.sha256,
        }
        for p in (mail.parts if mail else ())
    ]
    packages = mail.packages if mail else opened.packages
    documents = mail.documents if mail else opened.documents
    view: dict[str, Any] = {
        "kind": opened.kind,
        "parts": parts,
        "packages": [
            {
                "label": p.label,
                "files": [{"path": hide(f.path), "size_bytes": f.size_bytes, "sha1": f.sha1} for f in p.files],
            }
            for p in packages
        ],
        "documents": [
            {
                "label": hide(d.label),
                "type": d.code.code if d.code else "",
                "type_label": d.code.label if d.code else "",
                "title": hide(d.title.value) if d.title else "",
                "id": d.document_id.value if d.document_id else "",
                "version": d.version.value if d.version else "",
                "effective_time": d.effective_time.value if d.effective_time else "",
                "level": d.body.level if d.body else 0,
                "media_type": d.body.media_type if d.body else "",
                "size_bytes": d.size_bytes,
            }
            for d in documents
        ],
        "identities": identities_view(opened.views),
    }
    shown: dict[str, Any] = mask_json(view)
    return shown


_NAMED = ("birth_family", "birth_given", "given_list", "used_family", "used_given")
_WORD = re.compile(r"[^\W\d_]{3,}")


class Veil:
    """Hides, in any text, the names and numbers that the views of a message tell of its patient."""

    def __init__(self, views: tuple[IdentityView, ...]) -> None:
        told = [v.value for view in views for name in _NAMED if (v := getattr(view, name)) is not None]
        self._names = {_plain(word) for value in told for word in _WORD.findall(value)}

    def __call__(self, text: str) -> str:
        """The text without them."""
        return _WORD.sub(self._hidden, safe(text))

    def _hidden(self, word: re.Match[str]) -> str:
        return mask_trait(word[0]) if _plain(word[0]) in self._names else word[0]


def _plain(word: str) -> str:
    """Without accents or case."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)).casefold()


_TRAITS = ("birth_family", "birth_given", "given_list", "birth_date", "sex", "birth_place", "used_family", "used_given")


def identities_view(views: tuple[IdentityView, ...]) -> list[Mapping[str, Any]]:
    """The identities side by side: each trait masked against the same trait of the other containers."""
    shown: list[Mapping[str, Any]] = []
    for view in views:
        others = [v for v in views if v is not view]
        ins = view.claimed_ins
        other_ins = [i.value for v in others if (i := v.claimed_ins) is not None]
        traits: dict[str, str] = {}
        for name in _TRAITS:
            value: Located | None = getattr(view, name)
            if value is not None:
                against = [o.value for v in others if (o := getattr(v, name)) is not None]
                traits[name] = mask_trait(value.value, against)
        shown.append(
            {
                "container": view.label,
                "kind": view.kind.value,
                "where": {"path": view.where.path, "line": view.where.line},
                "matricule": mask_matricule(ins.value, other_ins) if ins else "",
                "oid": ins.oid if ins else "",
                "traits": traits,
            }
        )
    return shown
