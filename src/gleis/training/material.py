"""What the sections of the evidence are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import Settings
from gleis.contracts.contract import Contract
from gleis.contracts.ports import Columns, Model
from gleis.data.columns import hidden_columns
from gleis.training.prepare import Prepared

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores


@dataclass(frozen=True)
class Material:
    """A model, its rows and its scores."""

    settings: Settings
    prepared: Prepared
    model: Model
    """Compiled where the gate let it; else the estimator, or the rule."""
    scores: Scores
    """(n_test,) or (n_test, n_classes), on the test rows."""
    baseline_scores: Scores | None
    """None where the model is the baseline."""
    build: Callable[[], Any] | None
    """Returns an unfitted estimator, seeded; None where the model cannot be trained again."""
    seed: int

    @property
    def contract(self) -> Contract:
        """The model's interface."""
        return self.prepared.contract

    @property
    def seen(self) -> Contract:
        """The interface without columns that only a mitigation sees."""
        hidden = hidden_columns(self.contract.names, self.settings)
        kept = tuple(one for one in self.contract.features if one.name not in hidden)
        return msgspec.structs.replace(self.contract, features=kept)

    @property
    def test(self) -> pl.DataFrame:
        """Test rows, all columns."""
        return self.prepared.part(self.prepared.split.test)

    @property
    def train(self) -> pl.DataFrame:
        """Training rows, all columns."""
        return self.prepared.part(self.prepared.split.train)

    @property
    def y_test(self) -> NDArray[np.generic]:
        """(n_test,) class index or value."""
        return self.prepared.target[self.prepared.split.test]

    @property
    def y_train(self) -> NDArray[np.generic]:
        """(n_train,) class index or value."""
        return self.prepared.target[self.prepared.split.train]

    def train_sample(self, most: int, name: str) -> NDArray[np.int64]:
        """Return positions of training rows in order: all, or a seeded sample of ``most``.

        ``prepared.part`` and ``prepared.target`` take them: millions of rows are not copied for a
        few thousand.

        Parameters
        ----------
        most : int
        name : str
            Of what it is for; other names draw other rows.
        """
        train = self.prepared.split.train
        if len(train) <= most:
            return train
        rng = np.random.default_rng([self.seed, *name.encode()])
        return train[np.sort(rng.choice(len(train), most, replace=False))]

    def columns(self, rows: pl.DataFrame) -> Columns:
        """Return the features of rows as ``model.predict`` takes them."""
        found: dict[str, Any] = {name: rows[name] for name in self.contract.names}
        return found
