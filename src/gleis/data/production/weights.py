"""How many answers a labelled row stands for."""

from __future__ import annotations

import msgspec
import polars as pl

ROUTE, VERSION, SHARE, WEIGHT = "route", "model_version", "share", "weight"
_RANDOMISED = ("champion", "challenger")


class Unlabelled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Mature answers of earlier stretches that no labelled row stands for yet."""

    answers: dict[str, int] = {}
    """``fallback of v2`` -> how many."""
    routes: tuple[str, ...] = ()
    """Routes that ever had a label, sorted: of these one is only waited for."""


NONE = Unlabelled()


def add_weights(
    labelled: pl.DataFrame, answered: pl.DataFrame, before: Unlabelled = NONE
) -> tuple[pl.DataFrame, Unlabelled]:
    """Give labelled rows sampling weights by route.

    Which route a row took was drawn with a known probability, and whether it got a label may
    depend on the route. Within a route (a version as champion or challenger, or the fallback) the
    labelled rows stand for all its answers, each for ``answers / labelled`` of them. Where a route
    has no label in this stretch of time but had some before, its answers wait for the next ones of
    their route: otherwise small routes would count for less the more often versions are made.
    Where one of two randomised routes never had a label, rows of the other stand for its answers
    too: each for ``1 / share``, the inverse of the probability with which such a row came their
    way.

    Within a route, labels are taken to come by chance. Where they depend on the score, as where
    only approved loans are known, no weight by route mends that; see docs/labels.md.

    Parameters
    ----------
    labelled : DataFrame, (n_labelled, ...)
        With columns ``route``, ``model_version`` and ``share``.
    answered : DataFrame, (n_answers, ...)
        All mature answers of the same stretch of time, with the same columns.
    before : Unlabelled
        What earlier stretches left.

    Returns
    -------
    rows : DataFrame
        ``labelled`` with ``weight`` in place of ``share``, each > 0.
    left : Unlabelled
        For the next stretch. Weights and what is left add up to the answers, of this stretch and
        those before.

    References
    ----------
    Horvitz, D. G. & Thompson, D. J. (1952). A Generalization of Sampling Without Replacement from
    a Finite Universe. JASA 47(260), eq. 5.
    Little, R. J. A. & Rubin, D. B. (2019). Statistical Analysis with Missing Data, 3rd ed.,
    section 3.3.1 (weighting-class estimator).

    Examples
    --------
    >>> row = {"route": "champion", "model_version": 2, "share": 1.0}
    >>> rows = pl.DataFrame([row] * 4)
    >>> weighed, left = add_weights(rows.head(1), rows)
    >>> weighed["weight"].to_list()
    [4.0]
    >>> waiting = Unlabelled(answers={"champion of v2": 3}, routes=("champion",))
    >>> add_weights(rows.head(1), rows, waiting)[0]["weight"].to_list()
    [7.0]
    """
    routes = {*labelled[ROUTE], *before.routes}
    alone = sum(route in routes for route in _RANDOMISED) == 1
    counts, seen = _counts(answered), _counts(labelled)
    weights = {
        key: (counts.get(key, 0) + before.answers.get(_name(key), 0)) / rows
        for key, rows in seen.items()
    }
    waiting = {name: rows for name, rows in before.answers.items() if name not in map(_name, seen)}
    for key in counts.keys() - seen.keys():
        # Of one that never had a label the other stands for its answers.
        if key[0] in routes or not (alone and key[0] in _RANDOMISED):
            waiting[_name(key)] = waiting.get(_name(key), 0) + counts[key]
    # A route whose share is 1 had no other beside it.
    inverse = pl.when(pl.col(ROUTE).is_in(_RANDOMISED) & pl.lit(alone)).then(1 / pl.col(SHARE))
    table = pl.DataFrame(
        [(*key, weight) for key, weight in weights.items()],
        schema={ROUTE: pl.String, VERSION: labelled.schema[VERSION], WEIGHT: pl.Float64},
        orient="row",
    )
    rows = labelled.join(table, on=[ROUTE, VERSION], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col(WEIGHT) * inverse.otherwise(1.0)).drop(SHARE)
    return rows, Unlabelled(
        answers=dict(sorted(waiting.items())), routes=tuple(sorted(map(str, routes)))
    )


def _counts(rows: pl.DataFrame) -> dict[tuple[str, int], int]:
    if rows.is_empty():
        return {}
    counted = rows.group_by(ROUTE, VERSION).len()
    return {(route, version): count for route, version, count in counted.iter_rows()}


def _name(key: tuple[str, int]) -> str:
    return f"{key[0]} of v{key[1]}"
