"""Simpler models on the same rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.rivals import Rival
from gleis.evidence.simpler import DEPTH, TRAIN_ROWS, compare_simpler, simplicity_of
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel
from gleis.training.material import Material
from gleis.training.sections.section import Section


def find(material: Material) -> tuple[Rival, ...]:
    """Fit a linear model and a shallow tree on the training rows, and compare."""
    train = material.train_sample(TRAIN_ROWS, "simpler")
    return compare_simpler(
        material.y_test,
        material.scores,
        material.test,
        material.prepared.target[train],
        material.prepared.part(train),
        material.seen,
        n_replicates=material.settings.evidence.bootstrap,
        seed=material.seed,
        n_train=len(material.prepared.split.train),
        itself=_simplicity(material),
        notes=_notes(material),
        clusters=material.prepared.test_groups,
    )


def _notes(material: Material) -> tuple[str, ...]:
    if material.settings.fairness.mitigate is None:
        return ()
    return ("It was fitted without the mitigation: what it gains may be at somebody's cost.",)


def _simplicity(material: Material) -> str | None:
    model = material.model
    if isinstance(model, SklearnModel):
        return simplicity_of(model.estimator)
    if not isinstance(model, CompiledModel):
        return None
    if model.linear() is not None:
        return "linear"
    trees = model.trees()
    if trees is None or len(trees.roots) > 1:
        return None
    shallow = _is_shallow(trees.left, int(trees.roots[0]), DEPTH)
    return "shallow_tree" if shallow else None


def _is_shallow(left: NDArray[np.integer], node: int, depth: int) -> bool:
    """Say whether no leaf is deeper below a node; a leaf names itself, the right child is next."""
    child = int(left[node])
    if child == node:
        return True
    return depth > 0 and all(_is_shallow(left, place, depth - 1) for place in (child, child + 1))


SIMPLER = Section("simpler", tuple[Rival, ...], find, ("evidence",))
