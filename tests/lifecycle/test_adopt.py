from __future__ import annotations

from hashlib import sha256

import joblib
import lightgbm
import mlflow.onnx
import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pytest
import skl2onnx
import skops.io
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from gleis.contracts.errors import (
    BlockedError,
    ConfigError,
    DataError,
    PackageError,
    ProjectError,
    RegistryError,
)
from gleis.lifecycle.adopt import Wish, adopt
from gleis.lifecycle.adopted_project import project_name
from gleis.lifecycle.project import Project
from gleis.packaging.load import load_package
from gleis.packaging.verify import verify


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """Orders with a text that is missing at times, and a model fitted on them with pandas."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "order": np.arange(1200),
            "at": pd.date_range("2024-01-01", periods=1200, freq="h"),
            "price": rng.gamma(2.0, 20.0, 1200).round(2),
            "items": rng.integers(1, 9, 1200),
            "shop": rng.choice(["north", "south", None], 1200),
        }
    )
    odds = rows["price"] / 30 - 1.5 + (rows["shop"] == "north") + rng.normal(size=1200) * 0.5
    rows["returned"] = np.where(odds > 0, "yes", "no")
    folder = tmp_path_factory.mktemp("orders")
    rows.to_parquet(folder / "orders.parquet")
    encode = make_column_transformer((OneHotEncoder(), ["shop"]), remainder="passthrough")
    model = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=20))
    model.fit(rows[["price", "items", "shop"]], rows["returned"])
    joblib.dump(model, folder / "model.joblib")
    skops.io.dump(model, folder / "model.skops")
    return folder, rows, model


def wish(folder, tmp_path, model="model.skops", **more):
    known = {"data": folder / "orders.parquet", "target": "returned", "into": tmp_path / "shop"}
    return Wish(model=folder / model, **{**known, **more})


def package_of(folder, version):
    bench = Project.open(folder).bench
    return load_package(bench.registry.path(version), version.digest, bench.trust)


@pytest.mark.parametrize("model", ["model.skops", "model.joblib"])
def test_an_adopted_model_answers_as_it_did(orders, tmp_path, model):
    folder, rows, fitted = orders
    done = adopt(wish(folder, tmp_path, model, id="order", time="at", allow_pickle=True))
    assert done.outcome.promoted
    assert done.outcome.version.number == 2, "the heuristic is version 1"
    package = package_of(done.folder, done.outcome.version)
    contract = package.contract
    assert contract.names == ("price", "items", "shop")
    assert (contract.id, contract.time, contract.classes) == ("order", "at", ("no", "yes"))
    columns = {name: pl.from_pandas(rows[name]) for name in contract.names}
    scores = package.model.predict(columns)
    expected = fitted.predict_proba(rows[list(contract.names)])[:, 1]
    np.testing.assert_allclose(scores, expected, atol=1e-9, rtol=0)
    assert verify(package.path, package.digest, package.trust).ok


def test_the_project_serves_and_trains_again(orders, tmp_path):
    folder, _, fitted = orders
    done = adopt(wish(folder, tmp_path, id="order", time="at"))
    project = Project.open(done.folder)
    answer = project.predict([done.example | {"order": 7}])[0]
    row = pd.DataFrame([done.example])[list(fitted.feature_names_in_)]
    row["shop"] = row["shop"].astype(object).where(row["shop"].notna(), np.nan)
    assert answer["score"] == pytest.approx(fitted.predict_proba(row)[0, 1], abs=1e-9)
    again = project.run().outcome
    assert again.version.number == 3
    assert again.run.train_rows == 960


def test_the_evidence_says_where_it_comes_from(orders, tmp_path):
    folder, _, _ = orders
    done = adopt(wish(folder, tmp_path, "model.joblib", allow_pickle=True, exclude=("order", "at")))
    notes = " ".join(done.outcome.run.evidence.notes)
    assert "Adopted from model.joblib (sha256 " in notes
    assert "was a pickle" in notes
    assert "may flatter" in notes
    assert done.outcome.run.cause == "adopted from model.joblib"
    assert done.outcome.run.adopted == sha256((folder / "model.joblib").read_bytes()).hexdigest()
    with pytest.raises(RegistryError, match="took its model from a file"):
        Project.open(done.folder).reproduce(done.outcome.run.id)
    seen = wish(folder, tmp_path, into=tmp_path / "other", exclude=("order", "at"), unseen=True)
    notes = " ".join(adopt(seen).outcome.run.evidence.notes)
    assert "flatter" not in notes
    assert "pickle" not in notes


@pytest.mark.slow
def test_categories_of_pandas_go_along(orders, tmp_path):
    rows = orders[1]
    fitted_on = rows[["price", "items", "shop"]].assign(shop=rows["shop"].astype("category"))
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1)
    model.fit(fitted_on, (rows["returned"] == "yes").astype(int))
    joblib.dump(model, tmp_path / "light.joblib")
    mine = rows.assign(returned=(rows["returned"] == "yes").astype(int))
    mine.to_csv(tmp_path / "orders.csv", index=False)
    done = adopt(
        Wish(
            model=tmp_path / "light.joblib",
            data=tmp_path / "orders.csv",
            target="returned",
            into=tmp_path / "light",
            allow_pickle=True,
        )
    )
    package = package_of(done.folder, done.outcome.version)
    rows_of = {name: pl.from_pandas(rows[name]) for name in package.contract.names}
    np.testing.assert_allclose(
        package.model.predict(rows_of), model.predict_proba(fitted_on)[:, 1], atol=1e-9, rtol=0
    )


def test_a_regression_by_arrays(orders, tmp_path):
    rows = orders[1]
    model = RandomForestRegressor(5, random_state=0)
    model.fit(rows[["price", "items"]].to_numpy(), rows["price"] * rows["items"])
    skops.io.dump(model, tmp_path / "value model.skops")
    rows[["price", "items"]].assign(value=rows["price"] * rows["items"]).to_parquet(
        tmp_path / "values.parquet"
    )
    done = adopt(
        Wish(
            model=tmp_path / "value model.skops",
            data=tmp_path / "values.parquet",
            target="value",
            into=tmp_path / "value model",
        )
    )
    assert Project.open(done.folder).settings.project.name == "value-model"
    assert done.outcome.run.evidence.figures["rmse"].value > 0
    assert done.difference == 0


def test_a_model_that_does_not_beat_the_heuristic_is_kept_and_not_promoted(orders, tmp_path):
    folder, rows, _ = orders
    noise = LogisticRegression().fit(
        rows[["price"]], np.random.default_rng(0).permutation(rows["returned"])
    )
    skops.io.dump(noise, tmp_path / "noise.skops")
    done = adopt(wish(folder, tmp_path, model=tmp_path / "noise.skops", exclude=("order", "at")))
    assert not done.outcome.promoted
    assert Project.open(done.folder).predict([done.example])[0]["version"] == 1


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"model": "model.joblib"}, BlockedError, "--allow-pickle"),
        ({"model": "none.skops"}, PackageError, "no such model"),
        ({"target": "sent"}, DataError, "no such target"),
        ({"exclude": ("price",)}, PackageError, "lack a column .*'price'"),
        ({"task": "regression"}, DataError, "returned"),
    ],
)
def test_bad_wishes_make_nothing(orders, tmp_path, change, error, match):
    folder, _, _ = orders
    with pytest.raises(error, match=match):
        adopt(wish(folder, tmp_path, **{"exclude": ("order", "at"), **change}))
    assert not (tmp_path / "shop").exists()


def test_a_project_is_not_overwritten(orders, tmp_path):
    folder, _, _ = orders
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "gleis.toml").write_text("kept")
    with pytest.raises(ConfigError, match="holds a project already"):
        adopt(wish(folder, tmp_path))
    assert (tmp_path / "shop" / "gleis.toml").read_text() == "kept"


def test_any_text_makes_a_name():
    assert project_name("Umsatz 2024 (final).v2") == "Umsatz-2024-final-v2"
    assert project_name("…") == "adopted"


@pytest.fixture(scope="module")
def graph(orders, tmp_path_factory):
    """The orders without missing texts, and a model of them in ONNX, one input a column."""
    rows = orders[1].assign(shop=orders[1]["shop"].astype(object).fillna("none"))
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["shop"]), remainder="passthrough"
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=2000))
    model.fit(rows[["price", "items", "shop"]], rows["returned"])
    folder = tmp_path_factory.mktemp("graph")
    rows.to_parquet(folder / "orders.parquet")
    number, text = FloatTensorType([None, 1]), StringTensorType([None, 1])
    made = skl2onnx.convert_sklearn(
        model, initial_types=[("price", number), ("items", number), ("shop", text)]
    )
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    return folder, rows, made


def answered(made, rows):
    """Ask a plain session: the probability of yes."""
    session = onnxruntime.InferenceSession(made.SerializeToString())
    feed = {
        "price": rows[["price"]].to_numpy().astype(np.float32),
        "items": rows[["items"]].to_numpy().astype(np.float32),
        "shop": rows[["shop"]].to_numpy().astype(object),
    }
    return np.array([row["yes"] for row in session.run(None, feed)[1]], dtype=np.float64)


def test_an_onnx_model_is_packaged_as_it_is_and_serves(graph, tmp_path):
    folder, rows, made = graph
    done = adopt(wish(folder, tmp_path, "model.onnx", id="order", time="at"))
    assert done.outcome.promoted
    assert done.difference <= 1e-9
    package = package_of(done.folder, done.outcome.version)
    assert package.contract.names == ("price", "items", "shop")
    assert not (package.path / "model.skops").exists()
    assert (package.path / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()
    columns = {name: pl.from_pandas(rows[name]) for name in package.contract.names}
    expected = answered(made, rows)
    np.testing.assert_allclose(package.model.predict(columns), expected, atol=1e-9, rtol=0)
    assert verify(package.path, package.digest, package.trust).ok
    evidence = done.outcome.run.evidence
    assert evidence.gain["log_loss"].value > 0
    assert "a model in ONNX by skl2onnx, not trained here" in " ".join(evidence.notes)
    row = pd.DataFrame([done.example])
    answer = Project.open(done.folder).predict([done.example | {"order": 7}])[0]
    assert answer["score"] == pytest.approx(answered(made, row)[0], abs=1e-9)
    assert answer["version"] == 2


def test_an_onnx_model_is_not_trained_again_and_says_what_to_write(graph, tmp_path):
    folder, _, _ = graph
    done = adopt(wish(folder, tmp_path, "model.onnx", id="order", time="at"))
    project = Project.open(done.folder)
    with pytest.raises(ProjectError, match=r"cannot be trained again.*Write build_model"):
        project.run()
    module = done.folder / "shop.py"
    text, _, _ = module.read_text().partition("def build_model")
    module.write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.pipeline import make_pipeline\n" + text + "def build_model(params):\n"
        "    take = make_column_transformer(('passthrough', ['price', 'items']))\n"
        "    return make_pipeline(take, LogisticRegression(**params))\n"
    )
    again = project.run().outcome
    assert again.version.number == 3
    package = package_of(done.folder, again.version)
    assert (package.path / "model.skops").exists()


def test_an_onnx_model_of_several_classes_by_one_table(orders, tmp_path):
    rows = orders[1][["price", "items"]]
    size = np.array(["small", "middle", "large"])[np.digitize(rows["price"], [25, 60])]
    model = LogisticRegression(max_iter=2000).fit(rows.to_numpy(), size)
    made = skl2onnx.convert_sklearn(
        model,
        initial_types=[("X", FloatTensorType([None, 2]))],
        options={id(model): {"zipmap": False}},
    )
    mlflow.onnx.save_model(made, tmp_path / "saved", pip_requirements=["onnxruntime"])
    rows.assign(size=size).to_parquet(tmp_path / "sizes.parquet")
    done = adopt(
        Wish(
            model=tmp_path / "saved",
            data=tmp_path / "sizes.parquet",
            target="size",
            into=tmp_path / "sizes",
        )
    )
    assert done.outcome.promoted
    package = package_of(done.folder, done.outcome.version)
    assert package.contract.classes == ("large", "middle", "small")
    expected = model.predict_proba(rows.to_numpy())
    scores = package.model.predict({name: rows[name].to_numpy() for name in rows})
    np.testing.assert_allclose(scores, expected, atol=1e-5)
