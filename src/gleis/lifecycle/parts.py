"""Parts of a version's package that monitors need, read without its model."""

from __future__ import annotations

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.profile import Reference
from gleis.lifecycle.workbench import Workbench


def read_parts(bench: Workbench, version: Version) -> tuple[Reference, Contract]:
    """Read what monitors need of a version's package, without its model."""
    folder = bench.registry.path(version)
    reference = msgspec.json.decode((folder / "reference.json").read_bytes(), type=Reference)
    contract = msgspec.json.decode((folder / "contract.json").read_bytes(), type=Contract)
    return reference, contract
