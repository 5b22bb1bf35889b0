"""Rows made ready for every later step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError, DataError
from gleis.training.prepare import prepare
from small_projects import make_shifting

START = datetime(2024, 2, 1, tzinfo=UTC)


def visits(days):
    n = days * 24
    return pl.DataFrame(
        {
            "visit": range(n),
            "at": [START + timedelta(hours=i) for i in range(n)],
            "price": [10.0 + i % 7 for i in range(n)],
            "pages": [1 + i % 5 for i in range(n)],
            "channel": ["web" if i % 3 else "shop" for i in range(n)],
            "bought": [int(i % 2) for i in range(n)],
        }
    )


def settings(folder, **flags):
    return load_settings(make_shifting(folder), flags, environment={})


def test_rows_before_since_neither_train_nor_test(tmp_path):
    made = settings(tmp_path / "p", **{"split.since": "2024-02-11"})
    prepared = prepare(visits(20), made)
    assert prepared.rows["at"].min() == datetime(2024, 2, 11, tzinfo=UTC)
    assert prepared.rows.height == 10 * 24
    assert len(prepared.split.train) + len(prepared.split.test) == 10 * 24
    assert any("240 rows from before 2024-02-11" in note for note in prepared.notes)


def test_since_after_the_last_row_is_refused(tmp_path):
    made = settings(tmp_path / "p", **{"split.since": "2030-01-01"})
    with pytest.raises(DataError, match="no rows since"):
        prepare(visits(20), made)


def test_since_is_a_moment(tmp_path):
    with pytest.raises(ConfigError, match="no moment"):
        settings(tmp_path / "p", **{"split.since": "last spring"})
