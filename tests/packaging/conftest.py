"""Small real models of every task, and the parts of their packages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from gleis.contracts.contract import Column, Contract
from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.figure import Figure
from gleis.contracts.outliers import MahalanobisOutliers
from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Reference
from gleis.packaging.build import Parts
from gleis.packaging.estimator import SklearnModel, dump_estimator
from gleis.packaging.examples import Examples
from gleis.packaging.manifest import describe
from gleis.packaging.requirements import require
from gleis.packaging.rule import Cell, RuleModel, TableRule
from gleis.packaging.signature import sign
from gleis.training.environment import lock
from signing_keys import SIGNER

FEATURES = (
    Column(name="shop", kind="category", nullable=True, categories=("a", "b", "c")),
    Column(name="size", kind="number", nullable=True, low=-4.0, high=4.0),
    Column(name="floors", kind="integer", low=0, high=9),
    Column(name="rooms", kind="integer", nullable=True, low=0, high=5),
    Column(name="new", kind="boolean"),
)


def make_contract(task: str) -> Contract:
    classes = {"binary": ("no", "yes"), "multiclass": ("x", "y", "z"), "regression": None}[task]
    return Contract(task=task, features=FEATURES, target="y", classes=classes)


def make_rows(n_rows: int = 400, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n_rows)
    size[rng.random(n_rows) < 0.1] = np.nan
    rooms = rng.integers(0, 6, n_rows).tolist()
    return pl.DataFrame(
        {
            "shop": rng.choice(np.array(["a", "b", "c", None], dtype=object), n_rows).tolist(),
            "size": pl.Series(size).fill_nan(None),
            "floors": rng.integers(0, 10, n_rows),
            "rooms": pl.Series([None if r == 5 else r for r in rooms], dtype=pl.Int64),
            "new": rng.random(n_rows) < 0.5,
        },
        schema_overrides={"shop": pl.String},
    )


def make_target(rows: pl.DataFrame, task: str) -> np.ndarray:
    effect = pl.col("size").fill_null(0.5) + pl.col("shop").is_null() * 2 + pl.col("new")
    value = rows.select(effect).to_series().to_numpy()
    if task == "regression":
        return value
    return np.digitize(value, [0.8] if task == "binary" else [0.3, 1.2])


def make_estimator(kind: str):
    numbers = ["size", "floors", "rooms", "new"]
    if kind == "linear":
        prepare = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["shop"]), (SimpleImputer(), numbers)
        )
        return make_pipeline(prepare, LogisticRegression(max_iter=500))
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = make_column_transformer((ordinal, ["shop"]), ("passthrough", numbers))
    models = {
        "boosting": HistGradientBoostingClassifier(max_iter=15, random_state=0),
        "regression": HistGradientBoostingRegressor(max_iter=15, random_state=0),
        "forest": RandomForestClassifier(n_estimators=8, random_state=0, n_jobs=2),
    }
    return make_pipeline(prepare, models[kind])


KINDS = {
    "boosting": "binary",
    "linear": "binary",
    "forest": "multiclass",
    "regression": "regression",
}


def make_parts(kind: str) -> Parts:
    """``kind``: one of KINDS, or ``rule``."""
    task = KINDS.get(kind, "binary")
    contract, rows = make_contract(task), make_rows()
    target = make_target(rows, task)
    default = (0.2, 0.3, 0.5) if task == "multiclass" else 0.25
    cells = () if task == "multiclass" else (Cell(("a", True), 0.75), Cell((None, False), 0.5))
    baseline = TableRule(columns=("shop", "new"), cells=cells, default=default)
    content, trusted = None, ()
    if kind == "rule":
        model = RuleModel(baseline, contract)
    else:
        estimator = make_estimator(kind).fit(SklearnModel.frame(rows, contract), target)
        content, trusted = dump_estimator(estimator)
        model = SklearnModel(estimator, contract)
    held_out = make_rows(60, seed=1)
    columns = {name: held_out[name].to_list() for name in contract.names}
    return Parts(
        run="run-1",
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        contract=contract,
        estimator=content,
        trusted=trusted,
        rule=baseline if kind == "rule" else None,
        baseline=baseline,
        reference=_reference(rows),
        outliers=_outliers(),
        evidence=_evidence(),
        lineage={"run": {"id": "run-1", "started": datetime(2026, 1, 2, tzinfo=UTC)}},
        card="# Shops\n\nÜber alles.\n",
        examples=Examples(
            features=columns,
            scores=model.predict(columns).tolist(),
            target=make_target(held_out, task).tolist(),
        ),
        requirements=require(content, lock()),
        python="3.11.7",
    )


def _outliers() -> MahalanobisOutliers:
    return MahalanobisOutliers(
        numbers=("size",),
        mean=(0.5,),
        scale=(0.3,),
        whiten=((1.0,),),
        surprise={"shop": {"a": 1.0, "b": 1.0, "c": 1.0}},
        unseen={"shop": 5.0},
        missing={"shop": 2.0},
        threshold=8.0,
        rate=0.001,
    )


def _reference(rows: pl.DataFrame) -> Reference:
    shops = CategorySketch(categories=("a", "b", "c"), counts=(1, 2, 3), other=0, missing=4)
    numbers = NumberSketch(edges=(0.5,), counts=(1, 2), missing=0, mean=1, m2=1, low=0, high=1)
    return Reference(
        features=Profile(rows=10, columns={"shop": shops}),
        scores=Profile(rows=3, columns={"score": numbers}),
        loss=numbers,
    )


def _evidence() -> Evidence:
    known = Figure(value=0.7, low=0.6, high=0.8)
    unknown = Figure(value=float("nan"), low=float("nan"), high=float("nan"))
    return Evidence(
        rows=60,
        figures={"roc_auc": known, "brier": unknown},
        baseline={"roc_auc": known},
        gain={},
        slices=(SliceFigures(column="shop", value="a", rows=9, figures={"roc_auc": unknown}),),
    )


@pytest.fixture(scope="session")
def parts():
    """Parts by kind, fitted once."""
    made: dict[str, Parts] = {}

    def get(kind: str) -> Parts:
        if kind not in made:
            made[kind] = make_parts(kind)
        return made[kind]

    return get


@pytest.fixture(scope="session")
def rows():
    """Held-out rows: missing values, an unseen shop."""
    frame = make_rows(50, seed=2)
    shop = pl.Series("shop", ["unseen", *frame["shop"].to_list()[1:]])
    return frame.with_columns(shop)


@pytest.fixture
def shops():
    """The making of rows, targets, contracts and estimators, for tests that need other ones."""

    class Shops:
        contract = staticmethod(make_contract)
        rows = staticmethod(make_rows)
        target = staticmethod(make_target)
        estimator = staticmethod(make_estimator)

    return Shops


@pytest.fixture(scope="session")
def reseal():
    """Write manifest and signature anew, as whoever altered a package and holds a key could."""

    def write(folder, signer=SIGNER, manifest=None):
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in ("manifest.json", "model.sig")
        }
        files["manifest.json"] = manifest or msgspec.json.encode(describe(files))
        (folder / "manifest.json").write_bytes(files["manifest.json"])
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
        (folder / "model.sig").write_bytes(sign(hashes, folder.name, signer))

    return write
