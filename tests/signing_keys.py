"""The key that signs the packages of tests: the same in every process, and nobody's secret."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from gleis.packaging.keys import Signer, Trust

SIGNER = Signer(ec.derive_private_key(20_130_401, ec.SECP256R1()), "tests")
TRUST = Trust.of(SIGNER.public)
STRANGER = Signer(ec.derive_private_key(20_130_402, ec.SECP256R1()), "stranger")
