"""Answers whose label is known or will not come, as rows to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl

from gleis.config.settings import ProjectSettings
from gleis.contracts.errors import DataError
from gleis.data.label_values import labels_in_type
from gleis.data.production.answers import (
    ANSWERED,
    DUE,
    ENTITY,
    EVENT,
    ID,
    KNOWN,
    answers_due,
    labels_behind,
)
from gleis.data.production.cursor import SETTLES, Cursor
from gleis.data.production.weights import NONE, ROUTE, SHARE, VERSION, WEIGHT, add_weights
from gleis.data.schema import kind_named
from gleis.store.log.log_store import LogStore
from gleis.store.log.logged import Matched

OWN = (ID, ANSWERED, KNOWN, ROUTE, VERSION, SHARE, WEIGHT)
"""Columns that a dataset from the log has beside the project's."""
_AT = "_label"


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Rows made of the prediction log, and what was left out."""

    cursor: Cursor
    rows: pl.DataFrame = msgspec.field(default_factory=pl.DataFrame)
    """Labelled answers in the order of their event time; may have none."""
    answers: int = 0
    """Answers that are due, with a label or without."""
    late: int = 0
    """Those whose label came after it was waited for."""

    @property
    def note(self) -> str:
        """Say what the rows are."""
        share = f" ({self.rows.height / self.answers:.0%})" if self.answers else ""
        late = f"; {self.late:,} labels came too late (monitor.matures)" if self.late else ""
        return f"{self.rows.height:,} of {self.answers:,} answers have a label{share}{late}"


def gather_answers(
    log: LogStore,
    project: ProjectSettings,
    types: Mapping[str, str],
    matures: timedelta,
    before: Cursor | None,
    now: datetime,
) -> Gathered:
    """Make training rows of the answers that have matured since the last time.

    An answer is taken when ``matures`` has passed since its event: not when its label comes. Labels
    of some outcomes come sooner than of others (a default is seen in month 3, a paid loan in month
    36), so rows taken as they are labelled would hold too many of the quick outcome. Its label is
    the one that counts by then; one that comes even later is not taken.

    Parameters
    ----------
    log : LogStore
        The prediction log.
    project : ProjectSettings
        Names id, time and target.
    types : mapping of str to str
        Column types of the project's own dataset (``DatasetVersion.columns``), which the same
        columns take here; empty if there is none yet.
    matures : timedelta
        After which time a label has come or will not; at least a minute counts.
    before : Cursor or None
        Where the last version ended; None takes everything that is in the log.
    now : datetime

    Returns
    -------
    Gathered
        Columns: ``prediction_id``, id and time of the project, the features as they were
        answered, ``answered_at``, ``label_known_at`` (the row was not known before), ``route``
        (champion, challenger or fallback), ``model_version``, ``weight`` (see ``add_weights``),
        and the target. What the model answered is left out: a model must not learn from it.

    References
    ----------
    Chapelle, O. (2014). Modeling Delayed Feedback in Display Advertising. KDD 2014, section 2.
    """
    cut = now - max(matures, SETTLES)
    if before is not None and cut <= before.cut:
        return Gathered(cursor=before)
    due = answers_due(log, before, cut)
    waiting = NONE if before is None else before.unlabelled
    if not due.answers:
        return Gathered(cursor=msgspec.structs.replace(due.cursor, unlabelled=waiting))
    answered = pl.concat(due.answers, how="diagonal_relaxed")
    labels = labels_behind(log, due.matches_after)
    known, late = _known_in_time(answered, labels, max(matures, SETTLES))
    weighed, waiting = add_weights(known, answered, waiting)
    cursor = msgspec.structs.replace(due.cursor, unlabelled=waiting)
    if known.is_empty():
        return Gathered(cursor=cursor, answers=answered.height, late=late)
    target = _values([labels[at].value for at in known[_AT]], types.get(project.target))
    rows = weighed.drop(_AT, project.target, strict=False).with_columns(
        target.alias(project.target)
    )
    rows = _named(rows, project, types)
    return Gathered(
        rows=rows.sort(project.time or ANSWERED, maintain_order=True),
        cursor=cursor,
        answers=answered.height,
        late=late,
    )


def _known_in_time(
    answered: pl.DataFrame, labels: Sequence[Matched], matures: timedelta
) -> tuple[pl.DataFrame, int]:
    """Return answers whose label came in time, with its place and moment, and how many came late.

    Of several labels for an answer the last one that came in time counts.
    """
    given = pl.DataFrame(
        {
            ID: [match.prediction_id for match in labels],
            KNOWN: pl.Series([match.label_at for match in labels], dtype=pl.Datetime("us", "UTC")),
            _AT: pl.int_range(len(labels), dtype=pl.Int64, eager=True),
        },
        schema_overrides={ID: pl.String()},
    )
    joined = answered.join(given, on=ID, maintain_order="left_right")
    in_time = joined.filter(pl.col(KNOWN) <= pl.col(DUE) + matures)
    last = in_time.unique(ID, keep="last", maintain_order=True)
    return last, joined[ID].n_unique() - last.height


def _named(rows: pl.DataFrame, project: ProjectSettings, types: Mapping[str, str]) -> pl.DataFrame:
    """Give id and time the project's names, and the columns that it has its types."""
    own = [pl.coalesce(EVENT, ANSWERED).alias(project.time)] if project.time else []
    own += [pl.col(ENTITY).alias(project.id)] if project.id else []
    rows = rows.with_columns(own).drop(ENTITY, EVENT, DUE)
    columns = [
        _in_type(rows[name], kind_named(types[name]))
        for name in rows.columns
        if name in types and name not in (*OWN, project.time)
    ]
    rows = rows.with_columns(columns)
    empty = [name for name, kind in rows.schema.items() if kind == pl.Null]
    return rows.with_columns(pl.col(empty).cast(pl.String))


def _in_type(values: pl.Series, kind: pl.DataType) -> pl.Series:
    cast = values.cast(kind, strict=False)
    lost = values.filter(cast.is_null() & values.is_not_null())
    if lost.len():
        raise DataError(
            f"Column {values.name} was answered with values that the project's dataset cannot "
            f"hold: it has {kind} there, and {lost.len():,} answers have",
            seen=lost.head(3).to_list(),
            remedy="Its type in load has changed since these answers: load it as it was, or leave "
            "the older answers out.",
            field=values.name,
        )
    return cast


def _values(values: Sequence[str | int | float | bool], known: str | None) -> pl.Series:
    """Return labels as the project's target has them; of one type among themselves otherwise."""
    if known is not None:
        return labels_in_type(values, kind_named(known))
    if len({type(value) for value in values}) > 1:
        return pl.Series([str(value) for value in values], dtype=pl.String)
    return pl.Series(values)
