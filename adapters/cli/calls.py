"""The requests of the DMP and of INSi that `passerelle samples` writes, with what curl needs to post them.

Those of the DMP are signed now. Each request has beside it a file of curl options under the same name (`curl -K NAME.curl`).
The certificates are those of a structure of the territory, issued by the TEST authority of a data directory, whether a
gateway works there or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote

from adapters.insi.certificates import software_certificate
from adapters.insi.routes import BASE as INSI
from adapters.pki.authority import Authority
from adapters.pki.index import write_atomically
from adapters.pki.model import Issued, Profile
from adapters.provision import Certificates
from adapters.settings import PortSettings
from adapters.soap.routes import BASE as DMP
from gateway.directory.territory import load_territory
from gateway.samples import calls
from gateway.samples.calls import STRUCTURE, Call
from gateway.values import Text

AUTHORITY_FILE = "igc-test.pem"
CLIENTS = {"dmp": "client-dmp", "insi": "client-insi"}


@dataclass(frozen=True, slots=True)
class Posted:
    """One request on disk: what it is, the address it goes to, its media type, the curl options that send it."""

    call: Call
    url: str
    content_type: str
    folder: Path

    @property
    def curl_file(self) -> str:
        """The name of its file of curl options."""
        return f"{self.call.name}.curl"

    @property
    def curl_line(self) -> str:
        """The command that sends it, with nothing left out."""
        options = [f"--{name} {quote(value)}" for name, value in self._options()]
        return " ".join(("curl", *options, quote(self.url)))

    def curl_options(self) -> str:
        """The same as a file of options, for `curl -K`."""
        lines = [f"# {self.call.title.fr}", f"# {self.call.title.en}", f"url = {_quoted(self.url)}"]
        lines += [f"{name} = {_quoted(value)}" for name, value in self._options()]
        lines += ["silent", "show-error", 'write-out = "\\n"']
        return "\n".join(lines) + "\n"

    def _options(self) -> Iterator[tuple[str, str]]:
        client = CLIENTS["insi" if self.call.service == "insi" else "dmp"]
        yield "cacert", str(self.folder / AUTHORITY_FILE)
        yield "cert", str(self.folder / f"{client}.pem")
        yield "key", str(self.folder / f"{client}.key")
        yield "header", f"Content-Type: {self.content_type}"
        yield "data-binary", f"@{self.folder / self.call.filename}"


def authority_of(data: Path) -> Authority | None:
    """The TEST authority of a data directory; None when it has none: it is not made here.

    Raises OSError, DamagedIndex or ValueError when it cannot be read.
    """
    return Authority.open(data / "pki") if (data / "pki" / "org.pem").is_file() else None


def write_calls(directory: Path, data: Path, authority: Authority, at: datetime) -> Sequence[Posted]:
    """Every request with its curl options, the certificates and their keys (0600). Raises OSError.

    `data` tells where the gateway answers.
    """
    certificates, structure = Certificates(authority), load_territory().structures[STRUCTURE]
    shown = {
        "dmp": certificates.structure(structure, Profile.AUTH_CLIENT),
        "insi": software_certificate(authority, structure),
    }
    seal = authority.signer(certificates.structure(structure, Profile.SIGN))
    folder = directory.resolve()
    (folder / AUTHORITY_FILE).write_bytes(authority.bundle_pem())
    for service, issued in shown.items():
        _write_client(folder, CLIENTS[service], authority, issued)
    root = _root(data)
    posted = []
    for call in calls(at, seal):
        request = call.build()
        path = INSI if call.service == "insi" else f"{DMP}/{call.service}"
        written = Posted(call, f"{root}{path}", request.content_type, folder)
        (folder / call.filename).write_bytes(request.body)
        (folder / written.curl_file).write_text(written.curl_options(), encoding="utf-8")
        posted.append(written)
    return posted


def how_to_send(example: Posted) -> Text:
    """What a reader must know before sending: how long they live, and the line."""
    return Text(
        "Les requêtes DMP sont signées à l'instant : elles vivent cinq minutes, puis relancez « passerelle samples ».\n"
        f"Chacune, INSi comprise, s'envoie par son fichier d'options : curl -K {example.folder / example.curl_file}\n"
        f"soit, en entier :\n{example.curl_line}",
        'DMP requests are signed just now: they live five minutes, then run "passerelle samples" again.\n'
        f"Each, INSi included, is sent by its file of options: curl -K {example.folder / example.curl_file}\n"
        f"that is, in full:\n{example.curl_line}",
    )


def _write_client(folder: Path, name: str, authority: Authority, issued: Issued) -> None:
    (folder / f"{name}.pem").write_bytes(authority.certificate_pem(issued))
    write_atomically(folder / f"{name}.key", authority.key_pem(issued))


def _root(data: Path) -> str:
    """Where the gateway of this directory answers; where it would by default when none works there."""
    try:
        record = json.loads((data / "run.json").read_text(encoding="utf-8"))
        return f"https://{record['host']}:{record['ports']['https']}"
    except (OSError, ValueError, KeyError):
        return f"https://127.0.0.1:{PortSettings().https}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
