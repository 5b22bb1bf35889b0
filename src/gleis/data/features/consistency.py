"""Whether a join finds what would have been looked up: the past replayed, moment by moment."""

from __future__ import annotations

from datetime import datetime

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetSpec
from gleis.data.features.joining import join_view
from gleis.data.features.point_in_time import newest_known
from gleis.data.features.view import FeatureView
from gleis.data.features.viewed import look_at


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which the two are not the same."""

    at: datetime
    entities: int
    """Entities whose features differ."""
    entity: str
    """The first of them."""
    joined: dict[str, str | int | float | bool | None]
    """Its features as joined today, with all that became known since."""
    looked_up: dict[str, str | int | float | bool | None]
    """Its features as they were looked up then."""


def find_differences(
    view: FeatureView, rows: pl.DataFrame, spec: DatasetSpec, instants: int = 20
) -> list[Difference]:
    """Compare, at moments of the past, joins over all rows with lookups of what was known then.

    Parameters
    ----------
    view : FeatureView
    rows : DataFrame, (n_rows, ...)
        Of its dataset.
    spec : DatasetSpec
        Of its dataset.
    instants : int
        How many moments, evenly over those at which a row becomes usable.

    Returns
    -------
    list of Difference
        None for a view whose features follow from the row itself.
    """
    whole = look_at(view, rows, spec)
    usable = whole.rows.select(pl.max_horizontal(whole.event, whole.known)).to_series()
    moments = usable.drop_nulls().unique().sort()
    step = max(1, moments.len() // instants)
    found = []
    for moment in moments.gather_every(step).head(instants):
        then = rows.filter(pl.max_horizontal(whole.event, whole.known) <= moment)
        known = look_at(view, then, spec)
        newest = newest_known(
            known.rows, moment, entity=view.entity, event=known.event, known=known.known
        )
        if view.ttl is not None:
            newest = newest.filter(moment - pl.col(known.event) <= view.ttl)
        asked = newest.select(*view.entity, _now=pl.lit(moment))
        same = {name: name for name in view.entity}
        joined = join_view(asked, whole, time="_now", entity=same)
        difference = _difference(moment, newest, joined, view, whole.features)
        found += [difference] if difference is not None else []
    return found


def _difference(
    moment: datetime,
    newest: pl.DataFrame,
    joined: pl.DataFrame,
    view: FeatureView,
    features: list[str],
) -> Difference | None:
    looked_up = newest.select(features)
    unlike = [(looked_up[name].ne_missing(joined[name])).alias(name) for name in features]
    differs = pl.DataFrame(unlike).select(pl.any_horizontal(pl.all())).to_series()
    if not differs.any():
        return None
    first = differs.arg_true()[0]
    return Difference(
        at=moment,
        entities=int(differs.sum()),
        entity=", ".join(str(newest[name][first]) for name in view.entity),
        joined=joined.row(first, named=True),
        looked_up=looked_up.row(first, named=True),
    )
