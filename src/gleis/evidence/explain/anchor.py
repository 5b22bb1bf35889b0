"""A rule that is enough for an answer: whatever else changes, it stays."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.contracts.explanation import Anchor, Explained, Fidelity
from gleis.evidence.explain.anchor_search import AnchorSearch
from gleis.evidence.explain.asked_row import AskedRow, read_row
from gleis.evidence.explain.binomial import least_share, share
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.options import check_number, check_share, check_whole
from gleis.evidence.explain.rules import Rule, Rules, Same

Array = NDArray[Any]
_VERDICTS = 6
"""Rules that are judged at most; each may err with a sixth of the chance."""


def anchor(
    model: Explainable,
    row: Mapping[str, Any],
    *,
    precision: float = 0.95,
    confidence: float = 0.95,
    within: float | None = None,
    fresh: int = 2500,
    most_rows: int = 45_000,
    seed: int | None = None,
) -> Anchor:
    r"""Find a rule under which the model's answer to a row stays.

    Conditions are bounds at quantiles of the background, or the row's own categories; a missing
    value is one. Under a rule, rows are those of the background, with values exchanged where they
    break it. Rules are searched for on draws of their own (see ``AnchorSearch``). Those found are
    judged on fresh rows: the exact lower bound of the share that keeps the answer must reach
    ``precision``. At most six are judged, each at the level :math:`1 - (1 - confidence) / 6`, so
    the chance that a rule is shown although it is less precise is at most 1 - ``confidence``,
    however long the search was (Bonferroni).

    Parameters
    ----------
    model : Explainable
    row : mapping
        Feature -> value.
    precision : float
        Share of rows under the rule that must get the same answer, in (0, 1).
    confidence : float
        That it does, in (0, 1).
    within : float, optional
        Of a regression: how far an answer may be from the row's and count as the same. Default:
        the median distance of background answers from their median.
    fresh : int
        Rows a verdict is based on, 100 or more.
    most_rows : int
        The search asks the model about so many rows, about; 1,000 or more.
    seed : int, optional
        Default: that of the model.

    Returns
    -------
    Anchor
        An empty rule says that all rows get this answer, as good as.

    Raises
    ------
    InvalidRowError
        The row lacks a feature.
    CannotExplainError
        No rule reaches the precision, or a feature is text.

    References
    ----------
    Ribeiro, M. T., Singh, S., Guestrin, C. (2018). Anchors: high-precision model-agnostic
    explanations. AAAI, equations 1 to 4.
    """
    check_share("precision", precision, above=True)
    check_share("confidence", confidence, above=True)
    check_whole("fresh", fresh, 100)
    check_whole("most_rows", most_rows, 1000)
    asked = read_row(model, row)
    explained, _ = model.explained(row, None)
    reach = _reach(asked, within)
    same = _same(asked, explained, reach)
    rules = Rules(asked)
    seed = model.seed if seed is None else seed
    search = AnchorSearch(rules, same, precision, np.random.default_rng([seed, 0]), most_rows)
    judge = np.random.default_rng([seed, 1])
    level = 1 - (1 - confidence) / _VERDICTS
    best = 0.0
    for rule in islice(search.proposals(), _VERDICTS):
        hits = int(same(rules.sample([rule], fresh, judge)).sum())
        least = least_share(hits, fresh, level)
        if least >= precision:
            asks = f">= {precision:g} ({confidence:.0%} sure, corrected for {_VERDICTS} verdicts)"
            return _anchor(rules, rule, explained, hits, fresh, least, asks, reach)
        best = max(best, hits / fresh)
    raise _none_found(precision, best, search.narrowest)


def _reach(asked: AskedRow, within: float | None) -> float | None:
    """Return how far the value of a regression may move and count as the same; None of classes."""
    model = asked.model
    if model.contract.task != "regression":
        if within is not None:
            raise InvalidRowError(
                "within is for a regression", seen=within, remedy="Leave it out.", field="within"
            )
        return None
    if within is None:
        scores = model.scores(asked.background, 0)
        within = float(np.median(np.abs(scores - np.median(scores)))) or float(scores.std())
    check_number("within", within, least=0)
    return within


def _same(asked: AskedRow, explained: Explained, reach: float | None) -> Same:
    """Return what says whether rows get the same answer."""
    model = asked.model
    if reach is None:
        answer = int(model.answers(asked.numbers[None])[0])
        return lambda rows: np.asarray(model.answers(rows) == answer)
    centre, least = explained.score, reach
    return lambda rows: np.abs(model.scores(rows, 0) - centre) <= least


def _anchor(
    rules: Rules,
    rule: Rule,
    explained: Explained,
    hits: int,
    fresh: int,
    least: float,
    asks: str,
    reach: float | None,
) -> Anchor:
    precision = share(hits, fresh)
    if reach is not None:
        asks = f"{asks}; answers within {reach:.6g} of {explained.score:.6g} count as the same"
    covered = share(int(rules.holds(rule).sum()), len(rules.background))
    return Anchor(
        explained=explained,
        rule=rules.conditions(rule),
        precision=precision,
        coverage=covered,
        within=reach,
        fidelity=(
            Fidelity(
                measure="precision",
                value=precision.value,
                low=least,
                high=1.0,
                asked=asks,
            ),
            Fidelity(measure="coverage", value=covered.value, low=covered.low, high=covered.high),
        ),
    )


def _none_found(precision: float, best: float, narrowest: float) -> CannotExplainError:
    if best:
        why = f"the best rule found keeps the answer on {best:.1%} of fresh rows"
    else:
        why = f"even rows in the same narrow ranges get the answer in {narrowest:.1%} of cases only"
    return CannotExplainError(
        f"No rule is enough for this answer with a precision of {precision:.0%}: {why}",
        remedy="Ask for less precision, or for shap or a counterfactual.",
        field="precision",
    )
