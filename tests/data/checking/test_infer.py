from __future__ import annotations

import tomllib

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.config.check_settings import ColumnChecks
from gleis.config.checks import check_checks
from gleis.config.data_settings import DataSettings
from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.dataset import DatasetSpec
from gleis.data.checking.declared import declared_checks
from gleis.data.checking.infer import propose, to_pandera, to_toml
from gleis.data.checking.one_pass import check_rows_of
from gleis.data.checking.tables import check_columns

SPEC = DatasetSpec(name="p", id="id", target="late")
NUMBERS = st.none() | st.floats(allow_nan=False, width=64) | st.integers(0, 1).map(float)
COLUMNS = st.fixed_dictionaries(
    {
        'we "ird\\ \t\x7f': NUMBERS,
        "n": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
        "share": st.floats(0, 1),
        "t": st.none() | st.text(max_size=3) | st.sampled_from(["AA", "UA"]),
        "b": st.none() | st.booleans(),
        "late": st.none() | st.integers(0, 1),
    }
)
WEIRD = 'we "ird\\ \t\x7f'
TYPES = {
    WEIRD: pl.Float64,
    "n": pl.Int64,
    "share": pl.Float64,
    "t": pl.String,
    "b": pl.Boolean,
    "late": pl.Int64,
}


def declared(text):
    """Checks of a text of TOML, as the project reads them."""
    checks = msgspec.convert(tomllib.loads(text)["data"]["checks"], dict[str, ColumnChecks])
    project = ProjectSettings(name="p", module="p", task="binary", target="late", id="id")
    found = Settings(project=project, data=DataSettings(checks=checks))
    check_checks(found)
    return declared_checks(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(COLUMNS, min_size=1, max_size=5), st.sampled_from([1, 40, 400]))
def test_the_rows_that_suggested_it_pass(rows, times):
    frame = pl.DataFrame(
        {
            "id": range(len(rows) * times),
            **{
                name: pl.Series([row[name] for row in rows] * times, dtype=kind)
                for name, kind in TYPES.items()
            },
        }
    )
    checks = declared(to_toml(propose(frame, SPEC), "data.checks"))
    assert checks.required == tuple(frame.columns)
    check_columns(frame, checks, "data.checks")
    assert check_rows_of(frame, checks.rows).reasons() == []
    for check in checks.tables:
        assert frame[check.column].null_count() <= check.value * frame.height


def test_what_is_proposed():
    n = 2000
    frame = pl.DataFrame(
        {
            "id": range(n),
            "temp": [-12.5, 31.0] * (n // 2),
            "seats": [0, 189] * (n // 2),
            "share": [0.25, 0.75] * (n // 2),
            "carrier": [None] + ["AA", "UA"] * (n // 2 - 1) + ["AA"],
            "note": [f"n{i % 70}" for i in range(n)],
            "rare": ["a"] * (n - 2) + ["b", "c"],
            "key": [f"k{i}" for i in range(n)],
            "late": [0, 1] * (n // 2),
        }
    )
    assert propose(frame, SPEC) == {
        "id": {"type": "integer", "nullable": False, "unique": True},
        "temp": {"type": "number", "nullable": False, "min": -17.0, "max": 36.0},
        "seats": {"type": "integer", "nullable": False, "min": 0, "max": 210},
        "share": {"type": "number", "nullable": False, "min": 0.2, "max": 0.8},
        "carrier": {"type": "text", "max_missing": 0.01, "in": ["AA", "UA"]},
        "note": {"type": "text", "nullable": False},
        "rare": {"type": "text", "nullable": False},
        "key": {"type": "text", "nullable": False, "unique": True},
        "late": {"type": "integer", "in": [0, 1]},
    }


def test_as_pandera_the_rows_pass_too():
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "at": pl.Series([0, 1, 2], dtype=pl.Datetime("us", "UTC")),
            "x": [0.5, None, 2.0],
            "carrier": ['A"A', "UA", "UA"],
        }
    )
    proposal = propose(pl.concat([frame] * 50), SPEC)
    proposal["id"].pop("unique", None)
    text = to_pandera(proposal, frame, "schema", "p@v1", SystemClock().now())
    space: dict = {}
    exec(text, space)
    assert space["schema"].validate(frame, lazy=True).equals(frame)
    assert "pa.Check.isin" in text
    broken = frame.with_columns(pl.lit("ZZ").alias("carrier"))
    with pytest.raises(Exception, match="isin"):
        space["schema"].validate(broken, lazy=True)


@pytest.mark.parametrize("values", [[5e-324, 0.0], [5e-324], [-1e308, 1e308], [1e-300, 2e-300]])
def test_numbers_at_the_ends_of_what_a_float_holds(values):
    found = propose(pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}), SPEC)["x"]
    assert found.get("min", min(values)) <= min(values)
    assert found.get("max", max(values)) >= max(values)
