"""Leakage: whether test rows are new, and whether features know the answer."""

from __future__ import annotations

import numpy as np

from gleis.contracts.leakage import Leakage
from gleis.evidence.leakage.look import find_leakage
from gleis.evidence.leakage.proxy import is_quick, proxy
from gleis.evidence.leakage.sides import Positions, Refit, Sides
from gleis.evidence.weighted import Floats
from gleis.packaging.estimator import SklearnModel
from gleis.training.material import Material
from gleis.training.sections.section import Section


def find(material: Material) -> Leakage:
    """Look for leaks in the rows, the features and the split."""
    prepared = material.prepared
    sides = Sides(
        rows=prepared.rows,
        y=prepared.target,
        train=prepared.split.train,
        test=prepared.split.test,
        contract=material.seen,
        scores=material.scores,
    )
    return find_leakage(sides, material.settings, _refit(material), material.seed)


def _refit(material: Material) -> Refit:
    """Return the project's own estimator where it is quick, else boosted trees of fixed size."""
    prepared, contract, build = material.prepared, material.contract, material.build
    if build is None or not is_quick(build()):
        return proxy(prepared.rows, prepared.target, material.seen, material.seed)

    def score(train: Positions, test: Positions) -> Floats:
        rows = np.concatenate([train, test])
        features = SklearnModel.frame(prepared.features[rows], contract)
        estimator = build()
        estimator.fit(features[: len(train)], prepared.target[train])
        return SklearnModel(estimator, contract).predict(material.columns(features[len(train) :]))

    return Refit("the project's own estimator", score)


LEAKAGE = Section(
    name="leakage",
    kind=Leakage,
    find=find,
    tables=("project", "split", "features", "evidence", "fairness"),
)
