"""`passerelle samples`: a folder of files to send or to check, each named after what it shows."""

from __future__ import annotations

import json
from pathlib import Path

from rich.table import Table

from adapters.cli.render import console
from gateway.exchange.samples import samples
from gateway.values import Lang, Text


def run_samples(directory: Path, lang: Lang) -> int:
    """Write every sample and an index (`LISEZMOI.txt`, `index.json`)."""
    directory.mkdir(parents=True, exist_ok=True)
    table = Table(header_style="bold", title=str(directory), title_justify="left")
    table.add_column(Text("fichier", "file").in_(lang), no_wrap=True, style="cyan")
    table.add_column(Text("ce qu'il montre", "what it shows").in_(lang))
    table.add_column(Text("règles attendues", "expected rules").in_(lang))
    index = []
    for sample in samples():
        (directory / sample.filename).write_bytes(sample.build())
        rules = ", ".join(sample.expected_rules)
        table.add_row(sample.filename, sample.title.in_(lang), rules or Text("aucune", "none").in_(lang))
        envelope = sample.envelope
        index.append(
            {
                "file": sample.filename,
                "kind": sample.kind,
                "title": {"fr": sample.title.fr, "en": sample.title.en},
                "expected_rules": list(sample.expected_rules),
                "from": envelope.mail_from if envelope else "",
                "to": list(envelope.recipients) if envelope else [],
            }
        )
    text = "\n".join(f"{entry['file']}: {entry['title'][lang.value]}" for entry in index)  # type: ignore[index]
    (directory / "LISEZMOI.txt").write_text(text + "\n", encoding="utf-8")
    (directory / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=2), encoding="utf-8")
    console().print(table)
    said = Text("Pour les juger : passerelle check", "To judge them: passerelle check").in_(lang)
    console().print(f"{said} {directory}", soft_wrap=True)
    return 0
