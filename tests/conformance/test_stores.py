"""Our own backends against the suites that any backend must pass."""

from __future__ import annotations

import pytest

from conformance import stores
from gleis.store.artifacts import LocalArtifacts
from gleis.store.by_url import open_artifacts
from gleis.store.facts import SqliteFacts
from gleis.store.patience import Patience
from gleis.store.prediction_log import SqlitePredictionLog


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_local_artifacts(check, tmp_path):
    check(LocalArtifacts(tmp_path / "artifacts"))


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_s3_artifacts(check, tmp_path, s3):
    check(open_artifacts(tmp_path, s3, Patience(seconds=5)))


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_artifacts_of_another_folder(check, tmp_path):
    check(open_artifacts(tmp_path / "home", str(tmp_path / "team"), Patience()))


@pytest.mark.parametrize("check", stores.FACT_CHECKS, ids=lambda check: check.__name__)
def test_sqlite_facts(check, tmp_path):
    check(SqliteFacts(tmp_path / "gleis.db"))


@pytest.mark.parametrize("check", stores.LOG_CHECKS, ids=lambda check: check.__name__)
def test_sqlite_prediction_log(check, tmp_path):
    check(SqlitePredictionLog(tmp_path / "predictions.db"))


def test_suites_as_one_call(tmp_path):
    names = iter(range(100))
    stores.check_artifact_store(lambda: LocalArtifacts(tmp_path / str(next(names))))
    stores.check_fact_store(lambda: SqliteFacts(tmp_path / f"{next(names)}.db"))
    stores.check_prediction_log(lambda: SqlitePredictionLog(tmp_path / f"{next(names)}.db"))


def test_suites_notice_a_liar():
    class Liar:
        def put(self, content):
            return "0" * 64

    with pytest.raises(AssertionError):
        stores.check_artifact_store(Liar)
