"""Parts of a version's package that monitors need, read without its model."""

from __future__ import annotations

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.profile import Reference
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.sealed import read_sealed


def read_parts(bench: Workbench, version: Version) -> tuple[Reference, Contract]:
    """Read what monitors need of a version's package, without its model.

    Raises
    ------
    PackageError
        The package is not what was signed and registered: an altered reference hides drift.
    """
    files = read_sealed(bench.registry.path(version), version.digest, bench.trust).files
    reference = msgspec.json.decode(files["reference.json"], type=Reference)
    contract = msgspec.json.decode(files["contract.json"], type=Contract)
    return reference, contract
