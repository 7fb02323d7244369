"""A VIHF under the seal of the structure that answers for it. Verification is `gateway.soap.assertion`."""

from __future__ import annotations

from dataclasses import replace

from gateway.sharing.vihf import Vihf, write_vihf
from gateway.soap.assertion import sign_assertion
from gateway.soap.certificates import subject_written
from gateway.soap.signing import Seal


def sign_vihf(vihf: Vihf, seal: Seal, *, algorithm: str = "sha256") -> bytes:
    """A signed assertion (UTF-8, one line). The Issuer becomes the seal's subject."""
    named = replace(vihf, issuer=subject_written(seal.certificate))
    return sign_assertion(write_vihf(named), seal, algorithm=algorithm)
