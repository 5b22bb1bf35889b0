from __future__ import annotations

import base64
import io
import pickle
import shutil
import sys

import joblib
import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gleis.contracts.errors import PackageError
from gleis.packaging.estimator import load_estimator
from gleis.packaging.foreign.formats import find_model
from gleis.packaging.foreign.natives import read_lightgbm, read_skops, read_xgboost
from gleis.packaging.foreign.opened import Request, settle
from gleis.packaging.foreign.read import open_confined
from gleis.packaging.foreign.settle import answer, class_text
from gleis.packaging.frames import as_frame

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can confine a process")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(7)
    rows = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "n": rng.integers(0, 5, 400),
            "c": rng.choice(["a", "b", None], 400),
        }
    )
    rows.loc[::17, "x"] = np.nan
    noisy = rows["x"].fillna(0) + (rows["c"] == "a") + rng.normal(size=400)
    return rows, np.where(noisy > 0.4, "yes", "no")


def request(rows, classes=("no", "yes"), path=""):
    buffer = io.BytesIO()
    pl.from_pandas(rows).write_ipc(buffer)
    return Request(path=str(path), rows=buffer.getvalue(), classes=classes)


def encoder():
    return make_column_transformer((OneHotEncoder(), ["c"]), remainder="passthrough")


def boosted(**params):
    return make_pipeline(encoder(), HistGradientBoostingClassifier(max_iter=5, **params))


def reread(opened):
    return load_estimator(opened.estimator, opened.trusted)


def scores_of(opened):
    return np.load(io.BytesIO(opened.scores), allow_pickle=False)


@pytest.mark.parametrize(
    "model",
    [
        boosted(),
        GridSearchCV(boosted(), {"histgradientboostingclassifier__max_depth": [2]}, cv=2),
        CalibratedClassifierCV(boosted(), cv=2),
        VotingClassifier([("a", boosted()), ("b", boosted(max_depth=2))], voting="soft"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_it_answers_what_it_answered_with_its_classes_by_position(table, model):
    rows, late = table
    model.fit(rows, late)
    expected = model.predict_proba(rows)
    opened = settle(model, request(rows))
    assert opened.features == ("x", "n", "c")
    np.testing.assert_array_equal(scores_of(opened), expected)
    again = reread(opened)
    assert again.classes_.tolist() == [0, 1]
    frame = as_frame(pl.from_pandas(rows), opened.frame)
    np.testing.assert_array_equal(again.predict_proba(frame), expected)


def test_missing_text_stays_what_it_was_in_pandas(table):
    rows, late = table
    opened = settle(boosted().fit(rows, late), request(rows))
    assert opened.frame == "pandas"
    # A polars null is None, which the encoder has never seen: it would refuse or guess.
    with pytest.raises(ValueError, match="unknown categories"):
        reread(opened).predict_proba(as_frame(pl.from_pandas(rows), "polars"))
    kept = as_frame(pl.from_pandas(rows), opened.frame)["c"]
    assert kept.isna().tolist() == rows["c"].isna().tolist()


def test_categories_of_lightgbm_are_kept(table):
    rows, late = table
    fitted_on = rows.assign(c=rows["c"].astype("category"))
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(fitted_on, late)
    opened = settle(model, request(rows))
    assert opened.frame == "pandas-category"
    np.testing.assert_array_equal(scores_of(opened), model.predict_proba(fitted_on))
    part = as_frame(pl.from_pandas(rows.head(20)), "pandas-category")
    np.testing.assert_array_equal(
        reread(opened).predict_proba(part), model.predict_proba(fitted_on.head(20))
    )


def test_a_model_without_names_takes_columns_in_order(table):
    rows, _ = table
    numbers = rows[["n", "x"]].fillna(0)
    model = RandomForestRegressor(5, random_state=0).fit(numbers.to_numpy(), numbers["x"])
    opened = settle(model, request(numbers, classes=None))
    assert (opened.frame, opened.features) == ("array", ("n", "x"))
    np.testing.assert_array_equal(scores_of(opened), model.predict(numbers.to_numpy()))
    with pytest.raises(PackageError, match="2 unnamed columns, the data hold 3"):
        settle(model, request(rows, classes=None))


def test_columns_it_was_not_fitted_on_are_left_out(table):
    rows, late = table
    opened = settle(boosted().fit(rows, late), request(rows.assign(other=1)[["other", *rows]]))
    assert opened.features == ("x", "n", "c")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda rows: rows.drop(columns="c"), "lack a column .*'c'"),
        (lambda rows: rows.assign(c=1.5), "does not answer these rows"),
    ],
)
def test_other_data_are_refused(table, change, match):
    rows, late = table
    with pytest.raises(PackageError, match=match):
        settle(boosted().fit(rows, late), request(change(rows)))


def test_what_cannot_be_a_package_is_refused(table):
    rows, late = table
    with pytest.raises(PackageError, match="no fitted scikit-learn estimator"):
        settle({"model": 1}, request(rows))
    with pytest.raises(PackageError, match="knows a class that the data do not"):
        settle(boosted().fit(rows, late), request(rows, classes=("no", "perhaps")))
    with pytest.raises(PackageError, match="cannot be renamed"):
        settle(Sealed().fit(rows[["n"]], late), request(rows[["n"]]))


def test_class_texts_are_those_of_contracts():
    assert [class_text(v) for v in (1, 1.0, 1.5, True, "x")] == ["1", "1", "1.5", "true", "x"]


class Sealed(LogisticRegression):
    """A classifier whose classes cannot be set."""

    @property
    def classes_(self):
        return np.array(["no", "yes"])

    @classes_.setter
    def classes_(self, value):
        pass


@linux
def test_a_pickle_is_opened_confined(table, tmp_path):
    rows, late = table
    model = boosted().fit(rows, late)
    joblib.dump(model, tmp_path / "model.joblib")
    opened = open_confined(request(rows, path=tmp_path / "model.joblib"))
    np.testing.assert_array_equal(scores_of(opened), model.predict_proba(rows))
    assert opened.kind == "sklearn.pipeline.Pipeline"
    assert opened.warnings == ()


ATTACK = """
import os, pathlib, socket, subprocess
done = []
def tried(name, act):
    try:
        act()
    except Exception as error:
        done.append(f"{name}: {type(error).__name__}")
    else:
        done.append(f"{name}: DONE")
mine = pathlib.Path(FOLDER)
tried("write", lambda: (mine / "new").write_text("x"))
tried("append", lambda: (mine / "kept").open("a").write("x"))
tried("truncate", lambda: os.truncate(mine / "kept", 0))
tried("remove", lambda: (mine / "kept").unlink())
tried("rename", lambda: (mine / "kept").rename(mine / "moved"))
tried("folder", lambda: (mine / "folder").mkdir())
tried("run", lambda: subprocess.run(["/bin/true"], check=True))
tried("connect", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
tried("unix", lambda: socket.socket(socket.AF_UNIX))
tried("kill", lambda: os.kill(PARENT, 0))
raise ValueError("; ".join(done))
"""


class Attack:
    """Runs ATTACK when it is unpickled."""

    def __init__(self, code):
        self.code = base64.b64encode(code.encode()).decode()

    def __reduce__(self):
        program = f"exec(__import__('base64').b64decode('{self.code}'), {{}})"
        return eval, (program,)


@linux
def test_a_hostile_pickle_can_do_nothing(table, tmp_path):
    import os
    import socket

    (tmp_path / "kept").write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = (
            ATTACK.replace("FOLDER", repr(str(tmp_path)))
            .replace("PORT", str(listening.getsockname()[1]))
            .replace("PARENT", str(os.getpid()))
        )
        path = tmp_path / "evil.pkl"
        path.write_bytes(pickle.dumps(Attack(code)))
        with pytest.raises(PackageError, match="write: ") as raised:
            open_confined(request(table[0], path=path))
    assert "DONE" not in str(raised.value)
    assert (tmp_path / "kept").read_text() == "kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.pkl", "kept"]


@linux
@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("import os; os._exit(9)", "ended with 9"),
        ("import ctypes; ctypes.string_at(0)", "ended with"),
        ("import os; os.write(1, b'junk'); raise ValueError('so')", "ValueError: so"),
        ("raise SystemExit(0)", "ended with 0"),
    ],
)
def test_a_pickle_that_breaks_its_process_is_refused(table, tmp_path, code, match):
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Attack(code)))
    with pytest.raises(PackageError, match=match):
        open_confined(request(table[0], path=path))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_native_files_answer_as_their_makers(table, tmp_path, task):
    rows, _ = table
    numbers = rows[["x", "n"]]
    target = {
        "binary": (rows["n"] > 2).astype(int),
        "multiclass": rows["n"] % 3,
        "regression": rows["n"] * 1.5,
    }[task]
    kind = "Regressor" if task == "regression" else "Classifier"
    light = getattr(lightgbm, f"LGBM{kind}")(n_estimators=5, verbose=-1).fit(numbers, target)
    light.booster_.save_model(tmp_path / "model.txt")
    gradient = getattr(xgboost, f"XGB{kind}")(n_estimators=5).fit(numbers, target)
    gradient.save_model(tmp_path / "model.json")
    classes = None if task == "regression" else tuple(map(str, range(len(set(target)))))
    for made, model in (
        (light, read_lightgbm(tmp_path / "model.txt", task)),
        (gradient, read_xgboost(tmp_path / "model.json", task)),
    ):
        opened = settle(model, request(numbers, classes=classes))
        assert opened.features == ("x", "n")
        np.testing.assert_array_equal(scores_of(opened), answer(made, numbers))
        np.testing.assert_array_equal(answer(reread(opened), numbers), answer(made, numbers))


def test_a_skops_file_is_read_if_its_types_are_known(table, tmp_path):
    rows, late = table
    model = boosted().fit(rows, late)
    skops.io.dump(model, tmp_path / "model.skops")
    again = read_skops(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
    scaler = make_pipeline(StandardScaler(), LogisticRegression())
    scaler.steps[0] = ("open", open_file)
    skops.io.dump(scaler, tmp_path / "evil.skops")
    with pytest.raises(PackageError, match="may not be in a package"):
        read_skops(tmp_path / "evil.skops")
    (tmp_path / "text.skops").write_text("no")
    with pytest.raises(PackageError, match="no skops file"):
        read_skops(tmp_path / "text.skops")


def open_file(path):
    return path


def test_formats_go_by_file_and_flavour(table, tmp_path):
    import mlflow.sklearn

    rows, late = table
    for name, kind in (
        ("a.skops", "skops"),
        ("a.JOBLIB", "pickle"),
        ("a.ubj", "xgboost"),
        ("a.txt", "lightgbm"),
        ("a.onnx", "onnx"),
    ):
        (tmp_path / name).touch()
        assert find_model(tmp_path / name).format == kind
    mlflow.sklearn.save_model(
        boosted().fit(rows, late),
        tmp_path / "mlflow",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    assert find_model(tmp_path / "mlflow").format == "pickle"
    (tmp_path / "mlflow" / "MLmodel").write_text("flavors: {prophet: {data: x}}")
    with pytest.raises(PackageError, match="no flavour"):
        find_model(tmp_path / "mlflow")
    shutil.rmtree(tmp_path / "mlflow")
    for missing in ("mlflow", "a.h5"):
        with pytest.raises(PackageError):
            find_model(tmp_path / missing)
    (tmp_path / "a.h5").touch()
    with pytest.raises(PackageError, match="of this kind"):
        find_model(tmp_path / "a.h5")
