from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import polars as pl
import pytest
import threadpoolctl
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from gleis.contracts.errors import DataError, PackageError, ProjectError
from gleis.packaging.estimator import SklearnModel, dump_estimator, load_estimator

ALL = {"boosting": "binary", "linear": "binary", "forest": "multiclass", "regression": "regression"}


def fit(shops, kind, rows=None):
    rows = shops.rows() if rows is None else rows
    task = ALL[kind]
    frame = SklearnModel.frame(rows, shops.contract(task))
    return shops.estimator(kind).fit(frame, shops.target(rows, task))


@pytest.mark.parametrize("kind", ALL)
def test_round_trip_is_exact(shops, kind, rows):
    estimator, contract = fit(shops, kind), shops.contract(ALL[kind])
    content, trusted = dump_estimator(estimator)
    columns = {name: rows[name].to_list() for name in rows.columns}
    before = SklearnModel(estimator, contract).predict(columns)
    after = SklearnModel(load_estimator(content, trusted), contract).predict(columns)
    np.testing.assert_array_equal(before, after)
    assert before.dtype == np.float64


@pytest.mark.parametrize("kind", ALL)
def test_scores_are_the_estimators_own(shops, kind, rows):
    estimator, contract = fit(shops, kind), shops.contract(ALL[kind])
    scores = SklearnModel(estimator, contract).predict({n: rows[n] for n in rows.columns})
    frame = SklearnModel.frame(rows, contract)
    if kind == "regression":
        expected = estimator.predict(frame)
    else:
        expected = estimator.predict_proba(frame)
        expected = expected[:, 1] if ALL[kind] == "binary" else expected
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ALL)
def test_equal_estimators_give_equal_bytes(shops, kind):
    first = fit(shops, kind)
    second = clone(first).fit(
        SklearnModel.frame(shops.rows(), shops.contract(ALL[kind])),
        shops.target(shops.rows(), ALL[kind]),
    )
    other = fit(shops, kind, shops.rows(seed=9))
    assert dump_estimator(first) == dump_estimator(second)
    assert dump_estimator(first) != dump_estimator(other)


def test_equal_bytes_in_another_process():
    code = (
        "import hashlib, numpy as np\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from gleis.packaging.estimator import dump_estimator\n"
        "x = np.random.default_rng(0).normal(size=(200, 3))\n"
        "model = RandomForestClassifier(5, random_state=0).fit(x, (x[:, 0] > 0).astype(int))\n"
        "model.labels_ = {'red', 'green', 'blue'}\n"
        "print(hashlib.sha256(dump_estimator(model)[0]).hexdigest())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_a_class_that_training_never_saw_scores_zero(shops):
    rows = shops.rows()
    contract = shops.contract("multiclass")
    target = shops.target(rows, "binary") * 2
    estimator = shops.estimator("forest").fit(SklearnModel.frame(rows, contract), target)
    scores = SklearnModel(estimator, contract).predict({n: rows[n] for n in rows.columns})
    assert scores.shape == (len(rows), 3)
    assert not scores[:, 1].any()
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_many_rows_score_like_few_and_threads_are_given_back(shops):
    contract, rows = shops.contract("binary"), shops.rows(6_000)
    model = SklearnModel(fit(shops, "boosting"), contract)
    with threadpoolctl.threadpool_limits(2):
        before = threadpoolctl.threadpool_info()
        all_at_once = model.predict({n: rows[n] for n in rows.columns})
        few = model.predict({n: rows[n][:100] for n in rows.columns})
        np.testing.assert_array_equal(all_at_once[:100], few)
        assert threadpoolctl.threadpool_info() == before
    assert 2 in {pool["num_threads"] for pool in before if pool["user_api"] == "openmp"}


def test_one_thread_once_loaded(shops):
    content, trusted = dump_estimator(fit(shops, "forest"))
    assert load_estimator(content, trusted)[-1].n_jobs == 1


def my_own_function(x):
    return x


@pytest.mark.parametrize("function", [my_own_function, np.save, np.testing.assert_equal])
def test_functions_are_not_packaged(function):
    with pytest.raises(PackageError, match="may not be in a package") as caught:
        dump_estimator(make_pipeline(FunctionTransformer(function)))
    assert function.__name__ in caught.value.seen


def test_numpy_functions_on_arrays_are_packaged():
    pipeline = make_pipeline(FunctionTransformer(np.log1p))
    content, trusted = dump_estimator(pipeline)
    assert trusted == ()
    assert load_estimator(content, trusted).transform(np.array([[0.0]])) == 0.0


def test_what_skops_cannot_write_is_refused():
    with pytest.raises(PackageError, match="without pickle"):
        dump_estimator(make_pipeline(FunctionTransformer(kw_args={"a": (i for i in "a")})))


def _with_type(content: bytes, old: tuple[str, str], new: tuple[str, str]) -> bytes:
    """Return the skops file with one type exchanged for another, as an attacker would."""
    source = zipfile.ZipFile(io.BytesIO(content))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in source.namelist():
            body = source.read(name)
            if name == "schema.json":
                text = json.dumps(json.loads(body))
                before = f'"__class__": "{old[1]}", "__module__": "{old[0]}"'
                assert before in text
                text = text.replace(before, f'"__class__": "{new[1]}", "__module__": "{new[0]}"')
                body = text.encode()
            archive.writestr(name, body)
    return buffer.getvalue()


LOGISTIC = ("sklearn.linear_model._logistic", "LogisticRegression")


@pytest.mark.parametrize(
    "name",
    ["os.system", "numpy.testing._private.utils.runstring", "sklearn.utils._testing.TempMemmap"],
)
def test_dangerous_types_are_refused_declared_or_not(shops, name):
    content, trusted = dump_estimator(fit(shops, "linear"))
    module, _, attribute = name.rpartition(".")
    bad = _with_type(content, LOGISTIC, (module, attribute))
    with pytest.raises(PackageError, match="does not declare"):
        load_estimator(bad, trusted)
    with pytest.raises(PackageError, match="may not be in a package"):
        load_estimator(bad, [*trusted, name])


def test_an_undeclared_type_is_refused_even_if_harmless(shops):
    content, trusted = dump_estimator(fit(shops, "boosting"))
    assert trusted
    with pytest.raises(PackageError, match="TreePredictor"):
        load_estimator(content, [])


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_truncated_files_are_refused(shops, cut):
    content, trusted = dump_estimator(fit(shops, "linear"))
    end = int(cut * len(content)) if isinstance(cut, float) else cut
    with pytest.raises(PackageError, match="damaged"):
        load_estimator(content[:end], trusted)


def test_a_classifier_without_probabilities_is_refused(shops):
    with pytest.raises(ProjectError, match="CalibratedClassifierCV"):
        SklearnModel(LinearSVC(), shops.contract("binary"))


def test_frame_has_the_contracts_types(shops):
    contract = shops.contract("binary")
    frame = SklearnModel.frame(
        {
            "new": np.array([True, False]),
            "rooms": [2.0, float("nan")],
            "floors": [1, 2],
            "size": [1, None],
            "shop": pl.Series(["a", None], dtype=pl.Categorical),
            "extra": [0, 0],
        },
        contract,
    )
    assert frame.schema == {
        "shop": pl.String,
        "size": pl.Float64,
        "floors": pl.Int64,
        "rooms": pl.Int64,
        "new": pl.Boolean,
    }
    assert frame.rows() == [("a", 1.0, 1, 2, True), (None, None, 2, None, False)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("floors", [1.5]),
        ("floors", ["1"]),
        ("floors", [2**70]),
        ("size", ["tall"]),
        ("shop", [3]),
        ("new", ["yes"]),
        ("new", None),
    ],
)
def test_other_kinds_are_refused_by_name(shops, name, values):
    columns = {"shop": ["a"], "size": [1.0], "floors": [1], "rooms": [1], "new": [True]}
    columns[name] = values
    if values is None:
        del columns[name]
    with pytest.raises(DataError) as caught:
        SklearnModel.frame(columns, shops.contract("binary"))
    assert caught.value.field == name
