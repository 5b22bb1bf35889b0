"""Small real packages and a service on them, for the tests of serving and its faults."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from gleis.contracts.clock import SystemClock
from gleis.contracts.contract import Column, Contract
from gleis.contracts.deployment import Version
from gleis.contracts.evidence import Evidence
from gleis.contracts.profile import NumberSketch, Profile, Reference
from gleis.packaging.background import Background
from gleis.packaging.build import Built, Parts, build_package
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.form import encode_form
from gleis.packaging.estimator import load_estimator
from gleis.packaging.examples import Examples
from gleis.packaging.requirements import require
from gleis.packaging.rule import Cell, Rule, TableRule
from gleis.registry.versions import Registry
from gleis.serving.http import App
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.run import bind, serve
from gleis.serving.turns import Group
from gleis.store.home import Home
from gleis.store.log.group_commit import GroupCommit
from gleis.training.environment import lock
from signing_keys import SIGNER, TRUST

FEATURES = (
    Column(name="distance", kind="number", low=80.0, high=5000.0, unit="miles"),
    Column(name="temp", kind="number", nullable=True, low=-10.0, high=40.0),
    Column(name="hour", kind="integer", low=0, high=23),
    Column(name="carrier", kind="category", categories=("AA", "UA")),
)
BINARY = Contract(
    task="binary",
    features=FEATURES,
    target="late",
    classes=("0", "1"),
    id="flight",
    time="departs_at",
)
MULTICLASS = Contract(
    task="multiclass", features=FEATURES, target="kind", classes=("early", "late", "on time")
)
REGRESSION = Contract(task="regression", features=FEATURES, target="delay")
ROW = {"distance": 800.0, "temp": 12.5, "hour": 17, "carrier": "UA"}
EVENING = TableRule(columns=("hour",), cells=(Cell((17,), 0.625),), default=0.25)


def build(folder: Path, contract: Contract, *, run: str, rule: Rule | None = None) -> Built:
    """Build a package: of ``rule``, or of an estimator fitted on random rows."""
    return build_package(_parts(folder, contract, run, rule), folder, SIGNER)


def compiled_package(folder: Path, immutable: tuple[str, ...] = ()) -> Built:
    """Build a package whose model is compiled, with rows for explanations."""
    parts = _parts(folder, BINARY, "compiled", None)
    pipeline = load_estimator(parts.estimator, parts.trusted)
    background = Background(features=sample_rows(BINARY, 300, seed=5)[0], immutable=immutable)
    forms = encode_form(compile_estimator(pipeline, BINARY))
    parts = msgspec.structs.replace(parts, forms=forms, background=background)
    return build_package(parts, folder, SIGNER)


def _parts(folder: Path, contract: Contract, run: str, rule: Rule | None) -> Parts:
    columns, target = sample_rows(contract, 120)
    baseline = rule or _baseline(contract)
    estimator, trusted = (None, ()) if rule else fit(contract, columns, target)
    sketch = NumberSketch(
        edges=(0.25, 0.5), counts=(40, 40, 40), missing=0, mean=0.4, m2=1.0, low=0.0, high=1.0
    )
    names = [f"score:{name}" for name in contract.classes or ()]
    names = names if contract.task == "multiclass" else ["score"]
    parts = Parts(
        run=run,
        created=datetime(2013, 4, 1, tzinfo=UTC),
        contract=contract,
        estimator=estimator,
        trusted=trusted,
        rule=rule,
        baseline=baseline,
        reference=Reference(
            features=Profile(rows=0, columns={}),
            scores=Profile(rows=120, columns=dict.fromkeys(names, sketch)),
            loss=sketch,
        ),
        evidence=Evidence(rows=0, figures={}, baseline={}, gain={}),
        lineage={"run": run},
        card="# Small\n",
        examples=Examples(
            features=columns,
            scores=expected_scores(contract, columns, estimator, trusted, rule),
            target=target,
        ),
        requirements=require(estimator, lock()),
        python="3.11.7",
    )
    # Where a program without a project looks for keys.
    trusted = folder.parent / "keys" / "trusted" / "tests.pub"
    trusted.parent.mkdir(parents=True, exist_ok=True)
    trusted.write_bytes(SIGNER.public.pem)
    return parts


def sample_rows(contract: Contract, count: int, seed: int = 0):
    """Return columns, each (count,), and targets that depend on them."""
    draw = np.random.default_rng(seed)
    distance = draw.uniform(80, 5000, count)
    hour = draw.integers(0, 24, count)
    columns = {
        "distance": distance.tolist(),
        "temp": [None if draw.random() < 0.2 else float(draw.normal(10, 8)) for _ in hour],
        "hour": hour.tolist(),
        "carrier": draw.choice(["AA", "UA"], count).tolist(),
    }
    if contract.task == "regression":
        return columns, (distance / 100 + hour).tolist()
    classes = len(contract.classes or ())
    return columns, (hour * classes // 24).tolist()


def expected_scores(contract, columns, estimator, trusted, rule):
    """Score rows as the package will."""
    from gleis.packaging.estimator import SklearnModel, load_estimator
    from gleis.packaging.rule import RuleModel

    if rule is not None:
        return RuleModel(rule, contract).predict(columns).tolist()
    return SklearnModel(load_estimator(estimator, trusted), contract).predict(columns).tolist()


def fit(contract, columns, target):
    """Fit a small pipeline and dump it."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from gleis.packaging.estimator import SklearnModel, dump_estimator

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    before = make_column_transformer(
        (numbers, ["distance", "temp", "hour"]),
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
    )
    last = LinearRegression() if contract.task == "regression" else LogisticRegression()
    pipeline = make_pipeline(before, last)
    pipeline.fit(SklearnModel.frame(columns, contract), np.asarray(target))
    return dump_estimator(pipeline)


def _baseline(contract: Contract) -> Rule:
    if contract.task == "multiclass":
        return TableRule(columns=(), cells=(), default=(0.25, 0.25, 0.5))
    return EVENING


def promote(registry: Registry, built: Built, cause: str) -> Version:
    """Register a package and make it champion."""
    version = registry.register(built.path, built.digest, cause, passed=True)
    registry.deployments.promote(version, "for a test", "tests", cause)
    return version


def serve_state(folder: Path, port: int) -> None:
    """Serve the champion of a state folder until told to stop; say when, and when drained."""
    home, clock, metrics = Home(folder), SystemClock(), Metrics("small")
    live = LiveService(Registry(home, "small", clock), clock, lambda: TRUST, every=0.1)
    live.load()
    app = App(live, GroupCommit(home.log), clock, metrics, max_body=1_000_000)
    serve(app, bind("127.0.0.1", port), started=lambda _, taken: print(taken, flush=True))
    home.close()
    print("drained", flush=True)


if __name__ == "__main__":
    serve_state(Path(sys.argv[1]), int(sys.argv[2]))


class ChampionOnly:
    """A router that lets the champion answer everything."""

    def split(self, champion, entities):
        return (Group(champion),)

    def answered(self, batch):
        pass
