"""Which features of a model a service looks up or computes, by how ``load`` joined them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.features import Computed, ServedFeatures
from gleis.training.reach import reach, reached_text


def served_contract(contract: Contract, dataset: DatasetVersion, folder: Path) -> Contract:
    """Return the contract with what a request may leave out.

    Parameters
    ----------
    contract : Contract
        Of the model's features.
    dataset : DatasetVersion
        Its provenance says what ``load`` joined its rows with.
    folder : Path
        The project folder: the hash of a view's code is part of what is looked up.
    """
    joined = dataset.provenance.features
    if joined is None:
        return contract
    computed, wanted = _needed(joined.computed, set(contract.names))
    views = tuple(
        msgspec.structs.replace(
            use,
            code=view_code(folder, use.module, use.view),
            text=reached_text(folder, use.module, [use.view]),
        )
        for use in joined.views
        if wanted & {*use.features}
    )
    if not views and not computed:
        return contract
    served = ServedFeatures(views=views, computed=computed)
    return msgspec.structs.replace(contract, served=served)


def view_code(folder: Path, module: str, view: str) -> str:
    """Name the code that a feature view reaches, its decorator included."""
    return reach(folder, module, [view]).digest


def _needed(
    computed: tuple[Computed, ...], wanted: set[str]
) -> tuple[tuple[Computed, ...], set[str]]:
    """Return the functions whose features are wanted, and all columns that are, inputs too."""
    kept: list[Computed] = []
    for function in reversed(computed):
        if wanted & {*function.features}:
            kept.insert(0, function)
            wanted = wanted | {name for name, _ in function.inputs}
    return tuple(kept), wanted
