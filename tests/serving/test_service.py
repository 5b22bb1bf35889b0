from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from small_packages import BINARY, ROW

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import InvalidRowError, UnavailableError
from gleis.packaging.load import load_package
from gleis.packaging.rule import RuleModel, TableRule
from gleis.serving.service import Service
from signing_keys import TRUST

NOW = datetime(2013, 7, 4, 12, tzinfo=UTC)


def service(package, **changes):
    package = dataclasses.replace(package, **changes)
    version = Version(
        number=3, digest=package.digest, location="p", run="r", registered_at=NOW, passed=True
    )
    return Service(package, version, SimulatedClock(NOW), name="flights")


class Broken:
    """A model that answers as it is told, or fails."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, columns):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("kind", ["rule", "binary", "multiclass", "regression"])
def test_the_service_answers_what_the_package_promises(packages, kind):
    package = load_package(packages[kind].path, None, TRUST)
    examples = package.examples
    rows = [
        dict(zip(examples.features, values, strict=True))
        for values in zip(*examples.features.values(), strict=True)
    ]
    batch = service(package).answer(rows)
    np.testing.assert_allclose(batch.scores, examples.scores, rtol=1e-12)
    assert batch.features == examples.features
    assert (batch.at, batch.version, batch.digest) == (NOW, 3, package.digest)
    assert not batch.fallback
    answers = service(package).render(batch, [str(i) for i in range(batch.rows)])
    shown = {
        "rule": {0, 1},
        "binary": {0, 1},
        "multiclass": {"early", "late", "on time"},
    }
    if kind in shown:
        assert {answer.prediction for answer in answers} == shown[kind]


def test_one_row_alone_scores_as_among_many(packages):
    made = service(load_package(packages["binary"].path, None, TRUST))
    rows = [ROW | {"distance": float(100 * i + 80)} for i in range(20)]
    together = made.answer(rows).scores
    assert [made.answer([row]).scores[0] for row in rows] == pytest.approx(together, rel=1e-12)


@pytest.mark.parametrize(
    "broken",
    [
        ValueError("no"),
        MemoryError("full"),
        np.array([np.nan]),
        np.array([np.inf]),
        np.array([0.1, 0.2]),
        np.array([[0.1, 0.9]]),
        "text",
        None,
    ],
)
def test_the_baseline_answers_for_a_model_that_fails(packages, broken, caplog):
    made = service(load_package(packages["rule"].path, None, TRUST), model=Broken(broken))
    with caplog.at_level(logging.WARNING):
        batches = [made.answer([ROW]) for _ in range(3)]
    assert [batch.scores for batch in batches] == [[0.625]] * 3
    assert all(batch.fallback for batch in batches)
    assert len(caplog.records) == 1, "logged once, counted always"
    assert made.render(batches[0], ["id"])[0].fallback


def test_a_bad_row_is_no_reason_to_fall_back(packages):
    made = service(load_package(packages["binary"].path, None, TRUST))
    with pytest.raises(InvalidRowError):
        made.answer([ROW | {"hour": "late"}])


def test_model_and_baseline_both_failing_is_said(packages):
    package = load_package(packages["rule"].path, None, TRUST)
    bad = RuleModel(TableRule(columns=("gone",), cells=(), default=0.5), BINARY)
    made = service(package, model=Broken(ValueError("no")), baseline=bad)
    with pytest.raises(UnavailableError, match="both fail"):
        made.answer([ROW])


def test_the_serving_path_imports_nothing_heavy():
    code = (
        "import sys\n"
        "import gleis.serving.http, gleis.serving.run, gleis.serving.live\n"
        "heavy = {'polars', 'sklearn', 'mlflow', 'pandas', 'skops', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
