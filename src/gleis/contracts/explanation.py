"""Explanations of one answer, or of a model, and how far each can be relied on."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.figure import Figure

LocalMethod = Literal["shap", "lime", "anchor", "counterfactual"]
ModelMethod = Literal["pdp", "ice", "ale", "permutation", "surrogate", "shap_summary"]
Value = str | float | int | bool | None


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """A check of an explanation against the model itself."""

    measure: str
    """``additivity gap``, ``local R2``, ``precision``, ``coverage``, ``flips the answer`` ..."""
    value: float
    low: float | None = None
    """Ends of an interval, where there is one."""
    high: float | None = None
    asked: str = ""
    """What is asked of it, ``<= 1e-9``; empty where nothing is."""
    holds: bool = True
    """False: it is not shown as an explanation."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Which answer a local explanation is of."""

    prediction: Value
    score: float
    """Of the explained class, or the value (regression)."""
    of: str | None
    """The explained class; None for a regression."""
    row: dict[str, Value] = {}
    """The row it is of: feature -> value."""


class Contributions(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="contributions"):
    """What each feature adds to one score."""

    method: Literal["shap", "lime"]
    explained: Explained
    link: str
    """From the score to ``value``: identity, logit, log, or centred log-ratio (several classes)."""
    value: float
    """The score through the link; what the parts add up to."""
    base_value: float
    contributions: dict[str, float]
    conditions: dict[str, str] = {}
    """Of LIME: what holds of the row, ``distance <= 500``, whose effect is given."""
    fidelity: tuple[Fidelity, ...]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that holds of a row."""

    feature: str
    text: str
    """``hour > 18``, ``carrier = UA``."""
    low: float | None = None
    """Of a number: it lies above this."""
    high: float | None = None
    """Of a number: it is at most this."""
    category: Value = None
    categories: tuple[Value, ...] = ()
    """Of a category: it is one of these."""
    missing: bool = False
    """It is missing; beside ends or categories: or it is missing."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="anchor"):
    """A rule that is enough for the answer: whatever else changes, it stays."""

    method: Literal["anchor"] = "anchor"
    explained: Explained
    rule: tuple[Condition, ...]
    precision: Figure
    """Share of perturbed rows under the rule with the same answer, on fresh ones."""
    coverage: Figure
    """Share of all rows that the rule applies to."""
    within: float | None = None
    """Of a regression: values that differ by no more count as the same answer."""
    fidelity: tuple[Fidelity, ...]


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True):
    """What would have had to be otherwise for another answer."""

    changes: dict[str, tuple[Value, Value]]
    """Feature -> from, to."""
    prediction: Value
    """The model's answer to the changed row."""
    score: float
    distance: float
    """Sum of the changes, each in units of the feature's spread."""


class Counterfactuals(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="counterfactuals"
):
    """Several ways to another answer, the nearest first."""

    method: Literal["counterfactual"] = "counterfactual"
    explained: Explained
    found: tuple[Counterfactual, ...]
    immutable: tuple[str, ...]
    """Features that were not touched."""
    fidelity: tuple[Fidelity, ...]
    note: str = ""
    """Why there are fewer than asked, if so."""


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="effect"):
    """How the score moves with one feature."""

    method: Literal["pdp", "ice", "ale"]
    feature: str
    of: str | None
    """The class whose score it is; None for a regression."""
    grid: tuple[Value, ...]
    """Numbers rise; None, the last one, is a missing value."""
    values: tuple[float, ...]
    """(n_grid,) mean over the rows; for ALE centred at 0."""
    low: tuple[float, ...] = ()
    """(n_grid,) ends of the 95% interval over rows: of the mean (PDP, ALE), or that within which
    95% of the rows lie (ICE)."""
    high: tuple[float, ...] = ()
    lines: tuple[tuple[float, ...], ...] = ()
    """Of ICE: (n_lines, n_grid), a line a row; of some rows where there are many."""
    rows: int
    link: str = "identity"
    """From the score to the values: identity, logit, log, or centred log-ratio."""
    rug: tuple[float, ...] = ()
    """Of a number: quantiles of the rows' values, evenly spaced."""
    counts: tuple[int, ...] = ()
    """(n_grid,) of a category: rows that have it."""
    beside: str = ""
    """A second feature that is set too, of a PDP of two."""
    beside_grid: tuple[Value, ...] = ()
    surface: tuple[tuple[float, ...], ...] = ()
    """(n_grid, n_beside_grid) mean over the rows with both features set."""
    fidelity: tuple[Fidelity, ...] = ()
    notes: tuple[str, ...] = ()
    """Plain sentences: rows left out, values the rows never had together."""


class Importance(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="importance"):
    """How much the model relies on each feature, the most first."""

    method: Literal["permutation", "shap_summary"]
    unit: str
    """``rise of log_loss``, ``mean |SHAP| (logit)``."""
    features: dict[str, Figure]
    points: dict[str, tuple[tuple[float, float], ...]] = {}
    """Of a SHAP summary: feature -> (place of the value in the feature's order, 0 to 1; SHAP)."""
    rows: int
    fidelity: tuple[Fidelity, ...] = ()


class Surrogate(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="surrogate"):
    """A small tree that answers almost as the model does."""

    method: Literal["surrogate"] = "surrogate"
    of: str | None
    rules: tuple[tuple[tuple[Condition, ...], float, int], ...]
    """A rule a leaf: conditions, the score it gives, rows it covers."""
    rows: int
    fidelity: tuple[Fidelity, ...]
    """R2 to the model's scores on rows the tree has not seen."""


LocalExplanation = Contributions | Anchor | Counterfactuals
ModelExplanation = Effect | Importance | Surrogate
Explanation = LocalExplanation | ModelExplanation
