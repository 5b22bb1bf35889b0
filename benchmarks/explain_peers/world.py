"""What ours and theirs explain: the flights model, compiled, and rows it has not been trained on.

Peers ask the compiled model too, so that a figure is the method's and not the model's. Needs numpy,
msgspec and gleis on the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gleis.contracts.contract import Contract
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.packaging.compiled.form import decode_form
from gleis.packaging.compiled.model import CompiledModel


@dataclass(frozen=True)
class World:
    """The model and its rows."""

    package: Path
    model: Explainable
    rows: list[dict[str, Any]]
    """Rows to explain, feature -> value."""
    matrix: np.ndarray
    """The same as numbers, (n_rows, n_features); see ``Coding``."""

    @property
    def categorical(self) -> dict[int, tuple[str, ...]]:
        """Column of the matrix -> words of a category."""
        place, words = self.model.coding.place, self.model.coding.words
        return {place[name]: known for name, known in words.items()}

    @property
    def complete(self) -> np.ndarray:
        """The background as numbers without missing values, for peers that take none."""
        return filled(self.model.background_matrix, self.model.background_matrix)

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        """Return (n_rows, 2), as scikit-learn's ``predict_proba`` does."""
        late = self.model.predict_matrix(np.ascontiguousarray(matrix, dtype=np.float64))
        return np.column_stack([1.0 - late, late])


def filled(matrix: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Put the background's medians where values are missing."""
    return np.where(np.isnan(matrix), np.nanmedian(background, axis=0), matrix)


def open_world(package: Path, count: int = 50) -> World:
    """Read a package without the libraries it was made with."""
    files = {p.name: p.read_bytes() for p in package.iterdir() if p.is_file()}
    contract = msgspec.json.decode(files["contract.json"], type=Contract)
    model = CompiledModel(decode_form(files))
    features = msgspec.json.decode((package / "tests" / "rows.json").read_bytes())["features"]
    background = features
    if "background.json" in files:
        background = msgspec.json.decode(files["background.json"])["features"]
    explainable = make_explainable(model, contract, background).knowing(features)
    matrix = explainable.encode(features)[:count]
    rows = [{name: values[i] for name, values in features.items()} for i in range(len(matrix))]
    return World(package, explainable, rows, matrix)
