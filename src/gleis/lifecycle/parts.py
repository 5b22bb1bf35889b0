"""Parts of a version's package that monitors need, read without its model."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.evidence import Evidence
from gleis.contracts.profile import Reference
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.sealed import read_sealed


class Parts(NamedTuple):
    """What a version's package says beside its model."""

    reference: Reference
    contract: Contract
    evidence: Evidence


def read_parts(bench: Workbench, version: Version) -> Parts:
    """Read what monitors need of a version's package, without its model.

    Raises
    ------
    PackageError
        The package is not what was signed and registered: an altered reference hides drift.
    """
    files = read_sealed(bench.registry.path(version), version.digest, bench.trust).files
    reference = msgspec.json.decode(files["reference.json"], type=Reference)
    contract = msgspec.json.decode(files["contract.json"], type=Contract)
    evidence = msgspec.json.decode(files["evidence.json"], type=Evidence)
    return Parts(reference, contract, evidence)
