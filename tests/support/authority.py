"""A TEST authority and the certificates tests need, made once per process: an RSA key takes a tenth of a second."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from adapters.pki.authority import Authority
from adapters.pki.model import Fault, Issued, Profile, Subject

OPERATOR = Subject("smtp-1.operateur-a.example", "HOPITAL FICTIF A", "1999999992", "Paris (75)")
SERVER = Subject("mx.operateur-b.example", "INDUSTRIEL FICTIF B", "399999999900015", "Haute-Garonne (31)")


@cache
def _home() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="passerelle-pki-")


@cache
def shared_authority() -> Authority:
    """An authority that tests may read and issue from; one that revokes certificates of others makes its own."""
    return Authority.open(Path(_home().name) / "pki")


def operator_certificate(fault: Fault = Fault.NONE) -> Issued:
    """The operator's certificate, with the fault asked for."""
    return shared_authority().ensure(Profile.SERVER, OPERATOR, key=f"operator:{fault.value or 'good'}", fault=fault)


def server_certificate() -> Issued:
    """The certificate of the door under test."""
    return shared_authority().ensure(Profile.SERVER, SERVER, key="server", hosts=("mx2.operateur-b.example",))
