from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandera.polars as pa
from pandera.errors import SchemaErrors

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.checking.one_pass import check_rows_of
from gleis.data.checking.pandera_schema import PanderaSchema

OUTPUT = "check_output"


def by_pandera(schema, frame):
    """Rows that pandera itself blames."""
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        wrong = set()
        for each in error.schema_errors:
            assert each.check_output is not None, each
            passes = each.check_output[OUTPUT].fill_null(value=False).to_numpy()
            wrong |= set(np.flatnonzero(~passes).tolist())
        return sorted(wrong)
    return []


def by_us(schema, frame):
    compiled = PanderaSchema(schema, "schema.py: schema")
    parsed = compiled.parse(frame)
    found = check_rows_of(parsed.frame, compiled.rows(parsed.frame.columns))
    every = [*found.failing, *compiled.left(parsed.frame)]
    places = [parsed.places(each.positions).tolist() for each in every]
    places += [each.positions.tolist() for each in parsed.failing]
    return sorted({at for some in places for at in some})


LIMITS = st.integers(-3, 3)
NUMBER_CHECKS = st.one_of(
    LIMITS.map(pa.Check.ge),
    LIMITS.map(pa.Check.gt),
    LIMITS.map(pa.Check.le),
    LIMITS.map(pa.Check.lt),
    LIMITS.map(pa.Check.eq),
    LIMITS.map(pa.Check.ne),
    LIMITS.map(lambda low: pa.Check.ge(low, ignore_na=False)),
    st.tuples(LIMITS, st.integers(1, 3), st.booleans(), st.booleans()).map(
        lambda t: pa.Check.in_range(t[0], t[0] + t[1], include_min=t[2], include_max=t[3])
    ),
    st.just(pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) * 2 != 4), name="own")),
    st.just(pa.Check(lambda value: value != 1, element_wise=True)),
)
TEXT_CHECKS = st.one_of(
    st.sampled_from(["a", "^b", "a|b", "ab$", "."]).map(pa.Check.str_matches),
    st.sampled_from(["a", "b$", "[xy]"]).map(pa.Check.str_contains),
    st.sampled_from(["a", "b"]).map(pa.Check.str_startswith),
    st.sampled_from(["a", "b"]).map(pa.Check.str_endswith),
    st.tuples(st.integers(0, 2), st.integers(0, 2)).map(
        lambda t: pa.Check.str_length(t[0], t[0] + t[1])
    ),
    st.integers(0, 2).map(lambda n: pa.Check.str_length(exact_value=n)),
    st.lists(st.sampled_from(["a", "b", "ab", "xy"]), min_size=1).map(pa.Check.isin),
    st.lists(st.sampled_from(["a", "b", "ab", "xy"]), min_size=1).map(pa.Check.notin),
)
SCHEMAS = st.builds(
    lambda x, t, nullable, unique, together, whole: pa.DataFrameSchema(
        {
            "x": pa.Column(float, checks=x, nullable=nullable, unique=unique),
            "t": pa.Column(str, checks=t, nullable=True),
            "n_.*": pa.Column(int, pa.Check.ge(-1), regex=True, required=False, nullable=nullable),
        },
        checks=whole,
        unique=["x", "t"] if together else None,
    ),
    st.lists(NUMBER_CHECKS, max_size=2),
    st.lists(TEXT_CHECKS, max_size=2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(
        [None, pa.Check(lambda data: data.lazyframe.select(pl.col("x") <= pl.col("n_1")))]
    ),
)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-3, 3).map(float) | st.just(float("nan")),
        st.none() | st.sampled_from(["", "a", "b", "ab", "ba", "xyz", "a\n"]),
        st.none() | st.integers(-2, 2),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(SCHEMAS, ROWS)
@pytest.mark.filterwarnings("ignore")
def test_the_same_rows_fail_as_in_pandera(schema, rows):
    types = {"x": pl.Float64, "t": pl.String, "n_1": pl.Int64}
    frame = pl.DataFrame(rows, schema=types, orient="row")
    assert by_us(schema, frame) == by_pandera(schema, frame)


def test_what_is_compiled_and_what_is_left():
    class Schema(pa.DataFrameModel):
        x: float = pa.Field(ge=0, nullable=True)
        t: str = pa.Field(isin=["a", "b"], unique=True)

        @pa.check("x")
        def odd(cls, data):
            return data.lazyframe.select(pl.col(data.key) % 2 == 1)

    schema = PanderaSchema(Schema.to_schema(), "schema.py: Schema")
    names = ["x", "t"]
    assert [check.failure for check in schema.rows(names)] == [
        "x: below 0",
        "t: missing",
        "t: repeated",
        "t: none of a, b",
    ]
    assert schema.uncompiled(names) == ["x: fails odd"]
    (failing,) = schema.left(pl.DataFrame({"x": [1.0, 2.0, None], "t": ["a", "b", "c"]}))
    assert failing.positions.tolist() == [1]


def test_rows_that_cannot_be_coerced_fail_and_the_rest_is_coerced():
    schema = pa.DataFrameSchema(
        {"x": pa.Column(float, pa.Check.ge(0), coerce=True), "n": pa.Column(int, coerce=True)}
    )
    compiled = PanderaSchema(schema, "s")
    parsed = compiled.parse(pl.DataFrame({"x": ["1", "far", "-2", "3"], "n": ["1", "2", "3", "?"]}))
    assert parsed.frame.to_dict(as_series=False) == {"x": [1.0, -2.0], "n": [1, 3]}
    assert [(each.failure, each.positions.tolist()) for each in parsed.failing] == [
        ("x: cannot be coerced", [1]),
        ("n: cannot be coerced", [3]),
    ]
    found = check_rows_of(parsed.frame, compiled.rows(["x", "n"]))
    assert parsed.places(found.wrong).tolist() == [2]


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"x": pa.Column(str)}, {}, "expected column 'x' to have type String, got Int64"),
        ({"y": pa.Column(int)}, {}, "'y' not in dataframe"),
        ({"x": pa.Column(int)}, {"strict": True}, "column 'z' not in"),
        ({"z": pa.Column(int), "x": pa.Column(int)}, {"ordered": True}, "out-of-order"),
        ({"q.*": pa.Column(int, regex=True)}, {}, "did not match any columns"),
    ],
)
def test_columns_and_types_are_seen_to_by_pandera(columns, options, said):
    schema = PanderaSchema(pa.DataFrameSchema(columns, **options), "schema.py: schema")
    with pytest.raises(DataError, match=said):
        schema.parse(pl.DataFrame({"x": [1], "z": [2]}))


def test_columns_may_be_left_out_and_filled_in():
    schema = pa.DataFrameSchema(
        {"x": pa.Column(int, default=7, nullable=True), "y": pa.Column(int, default=0)},
        strict="filter",
        add_missing_columns=True,
    )
    parsed = PanderaSchema(schema, "s").parse(pl.DataFrame({"x": [1, None], "z": [0, 0]}))
    assert parsed.frame.to_dict(as_series=False) == {"x": [1, 7], "y": [0, 0]}


def test_types_are_those_behind_the_door():
    schema = PanderaSchema(
        pa.DataFrameSchema(
            {
                "day": pa.Column(pl.Date),
                "kind": pa.Column(pl.Enum(["a", "b"])),
                "seats": pa.Column(pl.UInt16),
            }
        ),
        "s",
    )
    frame = pl.DataFrame(
        {
            "day": pl.Series([0, 1], dtype=pl.Datetime("us", "UTC")),
            "kind": ["a", "z"],
            "seats": [-1, 2],
        }
    )
    found = check_rows_of(schema.parse(frame).frame, schema.rows(frame.columns))
    assert found.reasons() == ["seats: below 0", "kind: none of a, b"]


def test_what_a_function_of_the_project_does_wrong_is_said():
    def lost(data):
        raise KeyError("lost")

    frame = pl.DataFrame({"x": [1, 2]})
    broken = PanderaSchema(
        pa.DataFrameSchema({"x": pa.Column(int, pa.Check(lost))}), "schema.py: s"
    )
    with pytest.raises(
        ProjectError, match=r"schema\.py: s: the check x: fails lost raises KeyError"
    ):
        broken.left(frame)
    together = pa.Check(lambda data: data.lazyframe.collect().height > 5, name="enough")
    whole = PanderaSchema(pa.DataFrameSchema({"x": pa.Column(int)}, checks=together), "s")
    with pytest.raises(DataError, match="the rows together fail fails enough"):
        whole.left(frame)


def test_a_warning_is_told_and_nothing_fails(caplog):
    check = pa.Check.ge(2, raise_warning=True)
    schema = PanderaSchema(pa.DataFrameSchema({"x": pa.Column(int, check)}), "s")
    assert schema.left(pl.DataFrame({"x": [1, 2]})) == ()
    assert "fails in 1 rows" in caplog.text
