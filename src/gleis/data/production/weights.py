"""How many answers a labelled row stands for."""

from __future__ import annotations

import polars as pl

ROUTE, VERSION, SHARE, WEIGHT = "route", "model_version", "share", "weight"
_RANDOMISED = ("champion", "challenger")


def add_weights(labelled: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """Give labelled rows sampling weights by route.

    Which route a row took was drawn with a known probability, and whether it got a label may
    depend on the route. Within a route (a version as champion or challenger, or the fallback) the
    labelled rows stand for all its answers, each for ``answers / labelled`` of them. Where one of
    two randomised routes has no label at all, rows of the other stand for its answers too: each
    for ``1 / share``, the inverse of the probability with which such a row came their way.

    Within a route, labels are taken to come by chance. Where they depend on the score, as where
    only approved loans are known, no weight by route mends that; see docs/labels.md.

    Parameters
    ----------
    labelled : DataFrame, (n_labelled, ...)
        With columns ``route``, ``model_version`` and ``share``.
    answered : DataFrame, (n_answers, ...)
        All mature answers of the same stretch of time, with the same columns.

    Returns
    -------
    DataFrame
        ``labelled`` with ``weight`` in place of ``share``, each > 0.

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
    >>> add_weights(rows.head(1), rows)["weight"].to_list()
    [4.0]
    """
    by = [ROUTE, VERSION]
    counts = answered.group_by(by).agg(pl.len().alias("_answers"))
    seen = labelled.group_by(by).agg(pl.len().alias("_labelled"))
    routes = set(labelled[ROUTE])
    alone = sum(route in routes for route in _RANDOMISED) == 1
    # A route whose share is 1 had no other beside it.
    inverse = pl.when(pl.col(ROUTE).is_in(_RANDOMISED) & pl.lit(alone)).then(1 / pl.col(SHARE))
    weight = pl.col("_answers") / pl.col("_labelled") * inverse.otherwise(1.0)
    return (
        labelled.join(counts, on=by, how="left", maintain_order="left")
        .join(seen, on=by, how="left", maintain_order="left")
        .with_columns(weight.alias(WEIGHT))
        .drop("_answers", "_labelled", SHARE)
    )
