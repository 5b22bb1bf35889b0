"""Fairness on the test rows; the protected columns need not be features."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.fairness import Fairness
from gleis.evidence.fairness.find import find_fairness
from gleis.evidence.fairness.individuals import SAMPLED
from gleis.training.material import Material
from gleis.training.sections.section import Section

_CATEGORIES = 50
"""Categories of a feature that are told apart when rows are compared, the most frequent ones."""


def find(material: Material) -> Fairness | None:
    """Compare groups of people, if ``fairness.protected`` names any."""
    settings = material.settings
    if not settings.fairness.protected:
        return None
    test, rows = material.test, np.arange(len(material.y_test))
    if len(rows) > SAMPLED:
        rng = np.random.default_rng(material.seed)
        rows = np.sort(rng.choice(rows, SAMPLED, replace=False))
    return find_fairness(
        material.y_test,
        material.scores,
        test,
        material.contract.task,
        settings.fairness,
        classes=material.contract.classes,
        features=comparable(test[rows], material.contract),
        features_of=rows,
        n_replicates=settings.evidence.bootstrap,
        seed=material.seed,
        # A heuristic, which has no baseline beside it, is not mitigated.
        mitigation=settings.fairness.mitigate if material.baseline_scores is not None else None,
    )


def comparable(rows: pl.DataFrame, contract: Contract) -> NDArray[np.float64] | None:
    """Return features on scales on which rows can be near to each other.

    Numbers have mean 0 and standard deviation 1, missing ones are 0; two rows with different
    categories are as far apart as two numbers one deviation apart.

    Returns
    -------
    ndarray of float64, (n_rows, n_columns), or None without features
    """
    found: list[NDArray[np.float64]] = []
    for column in contract.features:
        values = rows[column.name]
        if column.kind == "category":
            texts = values.cast(pl.String)
            kept = texts.drop_nulls().value_counts(sort=True).head(_CATEGORIES)[column.name]
            found += [(texts == text).fill_null(False).to_numpy() / 2**0.5 for text in kept]
            continue
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        known = np.isfinite(numbers)
        spread = float(numbers[known].std()) if known.any() else 0.0
        if spread > 0:
            found.append(np.where(known, (numbers - numbers[known].mean()) / spread, 0.0))
    return np.column_stack(found) if found else None


FAIRNESS = Section(
    name="fairness",
    kind=Fairness | None,
    find=find,
    tables=("fairness", "evidence"),
    of_rules=True,
)
