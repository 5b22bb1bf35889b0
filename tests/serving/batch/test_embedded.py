"""A package in any Python program."""

from __future__ import annotations

import copy
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from small_packages import BINARY, EVENING, MULTICLASS, REGRESSION, ROW, build, sample_rows

import gleis
from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import InvalidRowError, PackageError, UnavailableError
from gleis.packaging.load import load_package
from gleis.serving.service import Service
from signing_keys import TRUST

KINDS = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION, "rule": BINARY}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def scorer(packages, kind):
    return gleis.load(packages[kind].path)


def rows_of(kind, count=50):
    columns, _ = sample_rows(KINDS[kind], count, seed=1)
    return pl.DataFrame(columns)


def test_every_table_gets_the_answers_of_the_service(packages, kind, scorer):
    frame = rows_of(kind)
    version = Version(
        number=1,
        digest=packages[kind].digest,
        location="",
        run="",
        registered_at=SystemClock().now(),
        passed=True,
    )
    service = Service(
        load_package(packages[kind].path, None, TRUST), version, SystemClock(), name="x"
    )
    expected = np.asarray(service.answer(frame.to_dicts()).scores)
    columns = frame.to_dict(as_series=False)
    arrays = {name: np.asarray(values, dtype=None) for name, values in columns.items()}
    arrays["temp"] = np.array(columns["temp"], dtype=float)
    for rows in (
        frame,
        frame.to_pandas(),
        frame.to_arrow(),
        frame.to_dicts(),
        columns,
        arrays,
        frame.with_columns(pl.col("carrier").cast(pl.Categorical), extra=1),
    ):
        np.testing.assert_array_equal(scorer.predict(rows), expected)
    np.testing.assert_array_equal(scorer.predict(frame.to_dicts()[0]), expected[:1])


def test_answers_say_what_the_service_says(packages, kind, scorer):
    version = Version(
        number=1,
        digest="",
        location="",
        run="",
        registered_at=SystemClock().now(),
        passed=True,
    )
    service = Service(
        load_package(packages[kind].path, None, TRUST), version, SystemClock(), name="x"
    )
    rows = [ROW, ROW | {"distance": 9000.0, "carrier": "ZZ"}]
    told = service.render(service.answer(rows), ["", ""])
    for answer, expected in zip(scorer.answer(rows), told, strict=True):
        for name, value in answer.items():
            assert getattr(expected, name) == value


def test_the_first_bad_row_is_named(scorer):
    frame = rows_of("binary").with_columns(
        pl.when(pl.int_range(50) == 7).then(None).otherwise(pl.col("hour")).alias("hour")
    )
    with pytest.raises(InvalidRowError, match=r"rows\[7\]: hour must be a whole number"):
        scorer.predict(frame)


def test_batches_of_engines_come_back_with_answers(kind, scorer):
    frame = rows_of(kind)
    scores = scorer.predict(frame)
    added = ["prediction", *scorer.score_columns(scores)]
    for batch in (frame, frame.to_pandas(), frame.to_arrow(), frame.to_dict(as_series=False)):
        answered = scorer(batch)
        assert type(answered) is type(batch)
        for name in added:
            values = answered[name]
            values = values.to_pylist() if isinstance(values, pa.ChunkedArray) else list(values)
            assert len(values) == 50
        names = (
            answered.column_names
            if isinstance(answered, pa.Table)
            else getattr(answered, "columns", answered)
        )
        assert [*names] == [*frame.columns, *added]


def test_a_copy_in_another_process_answers_the_same(packages):
    scorer = gleis.load(packages["binary"].path)
    frame = rows_of("binary")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(scorer.predict, frame).result()
    np.testing.assert_array_equal(found, scorer.predict(frame))
    assert copy.copy(scorer).package.digest == scorer.package.digest


def test_an_altered_package_is_refused(tmp_path):
    built = build(tmp_path, BINARY, run="rule", rule=EVENING)
    gleis.load(built.path, digest=built.digest)
    with pytest.raises(PackageError, match="not the package that was"):
        gleis.load(built.path, digest="0" * 64)
    (built.path / "card.md").write_text("# Better\n")
    with pytest.raises(PackageError, match=r"card\.md"):
        gleis.load(built.path)


class _Failing:
    def __init__(self, scores):
        self._scores = scores

    def predict(self, columns):
        if self._scores is None:
            raise RuntimeError("no")
        return np.resize(self._scores, len(columns["hour"]))


def _with_model(scorer, scores):
    object.__setattr__(scorer.package, "model", _Failing(scores))
    return scorer


def test_the_baseline_answers_where_the_model_fails(packages):
    frame = pl.DataFrame([ROW, ROW | {"hour": 3}, ROW])
    scorer = _with_model(gleis.load(packages["rule"].path), None)
    assert scorer.predict(frame).tolist() == [0.625, 0.25, 0.625]
    assert [answer["fallback"] for answer in scorer.answer(frame)] == [True, True, True]
    scorer = _with_model(gleis.load(packages["rule"].path), [0.5, np.nan, np.inf])
    assert scorer.predict(frame).tolist() == [0.5, 0.25, 0.625]
    assert [answer["fallback"] for answer in scorer.answer(frame)] == [False, True, True]


def test_no_answer_at_all_is_an_error(packages):
    scorer = _with_model(gleis.load(packages["rule"].path), None)
    object.__setattr__(scorer.package, "baseline", _Failing(None))
    with pytest.raises(UnavailableError, match="both fail"):
        scorer.predict([ROW])


def test_a_rule_asked_with_dicts_or_arrays_loads_nothing_heavy(packages):
    code = (
        "import sys, numpy as np, gleis\n"
        f"scorer = gleis.load({str(packages['rule'].path)!r})\n"
        f"row = {ROW!r}\n"
        "assert scorer.predict([row]).tolist() == [0.625]\n"
        "assert scorer.predict({k: np.array([v]) for k, v in row.items()}).tolist() == [0.625]\n"
        "heavy = {'polars', 'pandas', 'sklearn', 'mlflow', 'pyarrow', 'skops'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
