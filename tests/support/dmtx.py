"""libdmtx, an independent reader of datamatrix symbols: a picture in, the text it carries out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from tests.support.reference import need_tool

INSTALL = "apt-get install -y dmtx-utils"
PIXELS = 6  # a module
_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def read(picture: Path) -> str:
    """The text of the one symbol in a picture (PNG, PGM…); '' when none is read, which it looks for during five seconds."""
    tool = need_tool("dmtxread", INSTALL)
    done = subprocess.run([tool, "-N1", "-m5000", str(picture)], capture_output=True, check=False, timeout=60)
    return done.stdout.decode("latin-1")


def painted(svg: str, picture: Path) -> Path:
    """An SVG of dark runs painted as a PGM, so that the reader of pixels sees it."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    dark = next(e.attrib["d"] for e in root.iter() if e.attrib.get("fill") == "#000")
    rows = [bytearray(b"\xff" * side * PIXELS) for _ in range(side)]
    told = _RUN.findall(dark)
    assert "".join(f"M{x} {y}h{n}v1h-{m}z" for x, y, n, m in told) == dark
    for x, y, length, back in told:
        assert length == back
        rows[int(y)][int(x) * PIXELS : (int(x) + int(length)) * PIXELS] = b"\x00" * (int(length) * PIXELS)
    pixels = b"".join(bytes(row) * PIXELS for row in rows)
    picture.write_bytes(f"P5 {side * PIXELS} {side * PIXELS} 255\n".encode() + pixels)
    return picture
