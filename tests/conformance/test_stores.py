"""Our own backends against the suites that any backend must pass."""

from __future__ import annotations

import pytest

from conformance import stores
from conformance.logs import LOG_STORE_CHECKS, check_log_store
from gleis.store.artifacts import LocalArtifacts
from gleis.store.facts import SqliteFacts
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.objects.by_url import open_artifacts
from gleis.store.objects.patience import Patience
from gleis.store.outbox import SqliteOutbox
from gleis.store.postgres.facts import PostgresFacts
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.outbox import PostgresOutbox
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.reviews import PostgresReviews
from gleis.store.postgres.states import PostgresStates
from gleis.store.review_queue import ReviewQueue
from gleis.store.states import SqliteStates


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_local_artifacts(check, tmp_path):
    check(LocalArtifacts(tmp_path / "artifacts"))


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_s3_artifacts(check, tmp_path, s3):
    check(open_artifacts(tmp_path, s3, Patience(seconds=5)))


@pytest.mark.parametrize("check", stores.ARTIFACT_CHECKS, ids=lambda check: check.__name__)
def test_artifacts_of_another_folder(check, tmp_path):
    check(open_artifacts(tmp_path / "home", str(tmp_path / "team"), Patience()))


@pytest.fixture(params=["sqlite", "postgres"])
def made(request, tmp_path):
    """Return a function that makes a store of a kind, in a file or in the tests' server."""
    if request.param == "sqlite":
        yield lambda sqlite, postgres: sqlite(tmp_path / "store.db")
        return
    server, schema = request.getfixturevalue("postgres"), request.getfixturevalue("schema")
    database = Postgres(server.url(), schema)
    yield lambda sqlite, postgres: postgres(database)
    database.close()


@pytest.mark.parametrize("check", stores.FACT_CHECKS, ids=lambda check: check.__name__)
def test_facts(check, made):
    check(made(SqliteFacts, PostgresFacts))


@pytest.mark.parametrize("check", stores.STATE_CHECKS, ids=lambda check: check.__name__)
def test_states(check, made):
    check(made(SqliteStates, PostgresStates))


@pytest.mark.parametrize("check", stores.OUTBOX_CHECKS, ids=lambda check: check.__name__)
def test_outbox(check, made):
    check(made(SqliteOutbox, PostgresOutbox))


@pytest.mark.parametrize("check", stores.REVIEW_CHECKS, ids=lambda check: check.__name__)
def test_reviews(check, made):
    check(made(ReviewQueue, PostgresReviews))


ALL_LOG_CHECKS = [*stores.LOG_CHECKS, *LOG_STORE_CHECKS]


@pytest.mark.parametrize("check", ALL_LOG_CHECKS, ids=lambda check: check.__name__)
def test_prediction_logs(check, made):
    check(made(SqlitePredictionLog, PostgresPredictionLog))


def test_suites_as_one_call(tmp_path):
    names = iter(range(100))
    stores.check_artifact_store(lambda: LocalArtifacts(tmp_path / str(next(names))))
    stores.check_fact_store(lambda: SqliteFacts(tmp_path / f"{next(names)}.db"))
    stores.check_state_store(lambda: SqliteStates(tmp_path / f"{next(names)}.db"))
    stores.check_outbox(lambda: SqliteOutbox(tmp_path / f"{next(names)}.db"))
    stores.check_reviews(lambda: ReviewQueue(tmp_path / f"{next(names)}.db"))
    stores.check_prediction_log(
        lambda: SqlitePredictionLog(tmp_path / f"{next(names)}.db", durable=False)
    )
    check_log_store(lambda: SqlitePredictionLog(tmp_path / f"{next(names)}.db", durable=False))


def test_suites_notice_a_liar():
    class Liar:
        def put(self, content):
            return "0" * 64

    with pytest.raises(AssertionError):
        stores.check_artifact_store(Liar)
