"""`passerelle samples`: a folder of files to send or to check, each named after what it shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from adapters.cli.calls import authority_of, how_to_send, write_calls
from adapters.cli.errors import system_line
from adapters.cli.render import console
from adapters.pki.index import DamagedIndex
from gateway.samples import Sample, samples
from gateway.values import Lang, Text

if TYPE_CHECKING:
    from adapters.cli.calls import Posted

_NO_AUTHORITY = Text(
    "Sans IGC de test dans {data} (passerelle up, ou pki init), les requêtes DMP et INSi, qui portent ses "
    "signatures et ses certificats, ne sont pas écrites.",
    "Without a TEST authority in {data} (passerelle up, or pki init), DMP and INSi requests, which bear its "
    "signatures and certificates, are not written.",
)
_UNWRITTEN = Text("Requêtes DMP et INSi non écrites :", "DMP and INSi requests not written:")


def run_samples(directory: Path, data: Path, lang: Lang) -> int:
    """Write every sample and an index (`LISEZMOI.txt`, `index.json`); signed requests when `data` has an authority."""
    directory.mkdir(parents=True, exist_ok=True)
    told = samples()
    for sample in told:
        (directory / sample.filename).write_bytes(sample.build())
    posted, unwritten = _posted(directory, data, lang)
    index = [*map(_entry, told), *map(_posted_entry, posted)]
    _write_index(directory, index, posted, lang)
    console().print(_table(directory, index, lang))
    if posted:
        console().print(how_to_send(posted[0]).in_(lang), soft_wrap=True, markup=False, highlight=False)
    else:
        print(unwritten, file=sys.stderr)
    said = Text("Pour les juger : passerelle check", "To judge them: passerelle check").in_(lang)
    console().print(f"{said} {directory}", soft_wrap=True)
    return 0


def _posted(directory: Path, data: Path, lang: Lang) -> tuple[Sequence[Posted], str]:
    """The signed requests, written; or none, and in one line why."""
    try:
        authority = authority_of(data)
        if authority is None:
            return (), _NO_AUTHORITY.in_(lang).format(data=data)
        return write_calls(directory, data, authority, datetime.now(UTC)), ""
    except OSError as error:
        why = system_line(error, lang)
    except (DamagedIndex, ValueError) as error:
        why = f"{data / 'pki'} ({str(error).splitlines()[0]})"
    return (), f"{_UNWRITTEN.in_(lang)} {why}"


def _entry(sample: Sample) -> dict[str, Any]:
    envelope = sample.envelope
    return {
        "file": sample.filename,
        "kind": sample.kind,
        "title": {"fr": sample.title.fr, "en": sample.title.en},
        "expected_rules": list(sample.expected_rules),
        "from": envelope.mail_from if envelope else "",
        "to": list(envelope.recipients) if envelope else [],
    }


def _posted_entry(posted: Posted) -> dict[str, Any]:
    """A request: also what the door answers, the rules it cites, and how to send it."""
    call = posted.call
    return {
        "file": call.filename,
        "kind": "soap",
        "title": {"fr": call.title.fr, "en": call.title.en},
        "expected_rules": list(call.expected_rules),
        "from": "",
        "to": [],
        "url": posted.url,
        "content_type": posted.content_type,
        "answer": call.answer,
        "answer_rules": list(call.told),
        "curl": posted.curl_line,
    }


def _write_index(directory: Path, index: Iterable[dict[str, Any]], posted: Sequence[Posted], lang: Lang) -> None:
    lines = [f"{entry['file']}: {entry['title'][lang.value]}" + _answer(entry) for entry in index]
    if posted:
        lines += ["", how_to_send(posted[0]).in_(lang)]
    (directory / "LISEZMOI.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (directory / "index.json").write_text(json.dumps(list(index), ensure_ascii=False, indent=2), encoding="utf-8")


def _answer(entry: dict[str, Any]) -> str:
    return f" → {' '.join([entry['answer'], *entry['answer_rules']])}" if "answer" in entry else ""


def _table(directory: Path, index: Iterable[dict[str, Any]], lang: Lang) -> Table:
    table = Table(header_style="bold", title=str(directory), title_justify="left")
    table.add_column(Text("fichier", "file").in_(lang), no_wrap=True, style="cyan")
    table.add_column(Text("ce qu'il montre", "what it shows").in_(lang))
    table.add_column(Text("règles attendues, réponse", "expected rules, answer").in_(lang))
    for entry in index:
        rules = ", ".join(entry["expected_rules"]) or Text("aucune", "none").in_(lang)
        table.add_row(entry["file"], entry["title"][lang.value], rules + _answer(entry))
    return table
