"""Rows and contracts for tests of outlier models."""

from __future__ import annotations

import msgspec

from gleis.contracts.contract import Column, Contract

NUMBERS = Contract(
    task="regression",
    features=tuple(Column(name=name, kind="number") for name in ("a", "b", "c")),
    target="y",
)
MIXED = msgspec.structs.replace(
    NUMBERS,
    features=(
        Column(name="a", kind="number", nullable=True),
        Column(name="shop", kind="category", nullable=True),
        Column(name="b", kind="integer"),
        Column(name="open", kind="boolean"),
        Column(name="flat", kind="number"),
        Column(name="gone", kind="number", nullable=True),
    ),
)


def columns(frame):
    """Return a frame as a service hands it over."""
    return {name: frame[name].to_list() for name in frame.columns}
