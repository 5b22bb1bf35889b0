"""A package is an MLflow model: MLflow itself says so."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from gleis.packaging.build import build_package
from gleis.packaging.load import load_package
from signing_keys import SIGNER, TRUST

ALL = ("boosting", "linear", "forest", "regression", "rule")


@pytest.fixture(scope="module")
def packages(parts, tmp_path_factory):
    state = tmp_path_factory.mktemp("state")
    folder, trusted = state / "packages", state / "keys" / "trusted"
    trusted.mkdir(parents=True)
    (trusted / "tests.pub").write_bytes(SIGNER.public.pem)
    return {kind: build_package(parts(kind), folder, SIGNER).path for kind in ALL}


def frames(rows: pl.DataFrame) -> dict[str, pd.DataFrame]:
    """The same rows as pandas people hold them."""
    columns = {name: rows[name].to_list() for name in rows.columns}
    plain = pd.DataFrame(columns).astype({"floors": "int64", "new": "bool"})
    return {
        "from_polars": rows.to_pandas(),
        "plain": plain,
        "objects": plain.astype({"shop": object}),
        "shuffled": plain[plain.columns[::-1]].assign(more=1),
    }


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("shape", ["from_polars", "plain", "objects", "shuffled"])
def test_mlflow_answers_what_the_package_answers(packages, rows, kind, shape):
    expected = load_package(packages[kind], None, TRUST).model.predict(
        {n: rows[n] for n in rows.columns}
    )
    answered = mlflow.pyfunc.load_model(str(packages[kind])).predict(frames(rows)[shape])
    np.testing.assert_array_equal(np.asarray(answered), expected)


def test_a_nullable_column_may_be_absent(packages, rows):
    missing = rows.with_columns(pl.lit(None, dtype=pl.Float64).alias("size"))
    model = mlflow.pyfunc.load_model(str(packages["boosting"]))
    absent = frames(rows)["plain"].drop(columns="size")
    expected = load_package(packages["boosting"], None, TRUST).model.predict(
        {n: missing[n] for n in missing.columns}
    )
    np.testing.assert_array_equal(model.predict(absent), expected)


@pytest.mark.parametrize("kind", ["boosting", "rule"])
def test_the_signature_is_enforced(packages, rows, kind):
    model = mlflow.pyfunc.load_model(str(packages[kind]))
    plain = frames(rows)["plain"]
    with pytest.raises(MlflowException, match="floors"):
        model.predict(plain.drop(columns="floors"))
    with pytest.raises(MlflowException, match="floors"):
        model.predict(plain.assign(floors="many"))


@pytest.mark.parametrize("kind", ["boosting", "linear", "forest", "regression"])
def test_mlflow_sklearn_returns_the_estimator(packages, kind):
    loaded = mlflow.sklearn.load_model(str(packages[kind]))
    ours = load_package(packages[kind], None, TRUST).model.estimator
    assert [type(step) for _, step in loaded.steps] == [type(step) for _, step in ours.steps]


@pytest.mark.parametrize("kind", ALL)
def test_mlflow_reads_every_field_it_writes_itself(packages, kind):
    model = Model.load(packages[kind])
    assert model.signature.inputs.input_names() == ["shop", "size", "floors", "rooms", "new"]
    assert model.utc_time_created == "2026-01-02 03:04:05.000000"
    again = yaml.safe_load(model.to_yaml())
    written = yaml.safe_load((packages[kind] / "MLmodel").read_text())
    assert {key: again[key] for key in written} == written


def test_environment_files_agree(packages):
    folder = packages["boosting"]
    pins = (folder / "requirements.txt").read_text().splitlines()
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    assert conda["dependencies"] == ["python=3.11.7", "pip", {"pip": pins}]
    environment = yaml.safe_load((folder / "python_env.yaml").read_text())
    assert environment["python"] == "3.11.7"
    assert environment["dependencies"] == ["-r requirements.txt"]
    assert mlflow.pyfunc.get_model_dependencies(str(folder)).endswith("requirements.txt")


def test_loading_does_not_write_into_the_package(packages):
    mlflow.pyfunc.load_model(str(packages["linear"]))
    load_package(packages["linear"], None, TRUST)
