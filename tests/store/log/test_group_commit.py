from __future__ import annotations

import asyncio
import threading
import time

import msgspec
import pytest

from conformance.stores import NOON, make_batch
from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.prediction import Label
from gleis.store.log.group_commit import GroupCommit
from gleis.store.log.sqlite_log import SqlitePredictionLog


@pytest.fixture
def log(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    yield log
    log.close()


@pytest.fixture
def commits(log):
    commits = GroupCommit(log)
    yield commits
    commits.close()


def limit_pages(log, pages):
    """Make the file full for real: SQLite refuses to grow it."""
    with log._database.transaction() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_everyone_gets_their_own_ids(log, commits):
    async def client(number):
        return [
            (name, number)
            for _ in range(10)
            for name in await commits.append(make_batch(1 + number % 3, version=number))
        ]

    async def crowd():
        return await asyncio.gather(*(client(number) for number in range(32)))

    answered = dict(pair for of_client in asyncio.run(crowd()) for pair in of_client)
    logged = log.read(limit_rows=10**6)
    assert answered == {name: one.batch.version for one in logged for name in one.ids}
    entries = {one.seq for one in logged}
    assert len(entries) < 320 / 4, "waiting batches share a commit"


def test_durable_before_it_is_answered(tmp_path, commits):
    """Another connection sees the row at the moment the waiter wakes."""
    other = SqlitePredictionLog(tmp_path / "predictions.db")

    async def client():
        for count in range(1, 20):
            (name,) = await commits.append(make_batch(1))
            assert other.find(name) is not None
            assert other.counts().predictions == count

    asyncio.run(client())


def test_from_threads_and_loops_at_once(log, commits):
    def write():
        for _ in range(20):
            assert len(commits.append_sync(make_batch(2))) == 2

    async def client():
        for _ in range(20):
            await commits.append(make_batch(2))

    threads = [threading.Thread(target=write) for _ in range(3)]
    threads += [threading.Thread(target=lambda: asyncio.run(client())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.counts().predictions == 6 * 20 * 2


def test_a_bad_batch_hurts_nobody_else(log, commits):
    bad = msgspec.structs.replace(make_batch(1), scores=[])

    async def crowd():
        waiting = [commits.append(bad if i == 5 else make_batch(1)) for i in range(12)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcomes = asyncio.run(crowd())
    assert isinstance(outcomes[5], DataError)
    assert all(isinstance(outcome, list) for i, outcome in enumerate(outcomes) if i != 5)
    assert log.counts().predictions == 11


def test_a_full_disk_reaches_everyone_and_passes(log, commits):
    commits.append_sync(make_batch(1))
    limit_pages(log, 1)
    big = make_batch(20_000)

    async def crowd():
        return await asyncio.gather(
            *(commits.append(big) for _ in range(8)), return_exceptions=True
        )

    outcomes = asyncio.run(crowd())
    assert {type(outcome) for outcome in outcomes} == {StoreError}
    assert all("full" in str(outcome) for outcome in outcomes)
    assert log.counts().predictions == 1, "nothing half-written"
    limit_pages(log, 2**31 - 2)
    assert len(commits.append_sync(big)) == 20_000


def test_labels_go_behind_their_predictions(log, commits):
    async def client():
        write = asyncio.ensure_future(commits.append(make_batch(1, entities=["AA1"])))
        await asyncio.sleep(0)
        receipt = await commits.label([Label(value=1, entity="AA1")], NOON)
        await write
        return receipt

    assert asyncio.run(client()).unknown == ()
    with pytest.raises(DataError):
        commits.label_sync([Label(value=1)], NOON)
    assert commits.label_sync([Label(value=1, entity="AA1")], NOON).accepted == 1


def test_close_answers_those_who_wait(log):
    commits = GroupCommit(log)

    async def client():
        waiting = [asyncio.ensure_future(commits.append(make_batch(1))) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, commits.close)
        return await asyncio.gather(*waiting)

    assert len(asyncio.run(client())) == 50
    assert log.counts().predictions == 50
    with pytest.raises(StoreError, match="closed"):
        commits.append_sync(make_batch(1))
    commits.close()


def test_a_waiter_that_goes_away(log, commits):
    async def leave(cancel):
        task = asyncio.ensure_future(commits.append(make_batch(1)))
        await asyncio.sleep(0)
        if cancel:
            task.cancel()

    asyncio.run(leave(cancel=True))
    asyncio.run(leave(cancel=False))
    commits.append_sync(make_batch(1))
    assert log.counts().predictions == 3, "the writer goes on"


def test_a_closed_log_is_an_error_for_all(tmp_path):
    log = SqlitePredictionLog(tmp_path / "closed.db")
    commits = GroupCommit(log)
    log.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="closed"):
            commits.append_sync(make_batch(1))
    commits.close()


def test_a_large_crowd_is_split(log):
    """Over 50,000 waiting rows make several commits, all answered."""
    commits = GroupCommit(log)
    batch = make_batch(20_000)

    async def crowd():
        return await asyncio.gather(*(commits.append(batch) for _ in range(8)))

    assert sum(len(ids) for ids in asyncio.run(crowd())) == 160_000
    assert len({one.seq for one in log.read(limit_rows=10**6)}) >= 3
    commits.close()


def test_fast_enough(log, commits):
    """A tenth of what is measured on an idle machine, so that a busy one passes too."""

    async def client(batch):
        for _ in range(30):
            await commits.append(batch)

    async def crowd():
        await asyncio.gather(*(client(make_batch(1)) for _ in range(64)))

    start = time.perf_counter()
    asyncio.run(crowd())
    assert 64 * 30 / (time.perf_counter() - start) > 5_000


def test_predictions_do_not_wait_until_a_label_has_looked_through_the_log(tmp_path):
    class Slow(SqlitePredictionLog):
        """Looks through one entry at a time, and is handed a prediction meanwhile."""

        late: list

        def catch_up(self, rows=1):
            more = super().catch_up(rows)
            if not self.late:
                append = threading.Thread(target=lambda: names.append(commits.append_sync(batch)))
                append.start()
                self.late.append(append)
                while commits._queue.empty():
                    time.sleep(0.001)
            elif more:
                seen.append(self.end())
            return more

    batch = make_batch(1, entities=["AA9"])
    names, seen = [], []
    log = Slow(tmp_path / "predictions.db")
    log.late = []
    for number in range(5):
        log.append([make_batch(1, entities=[f"AA{number}"])])
    commits = GroupCommit(log)
    receipt = commits.label_sync([Label(value=1, entity="AA0"), Label(value=1, entity="AA9")], NOON)
    assert receipt.unknown == (), "what came meanwhile is known too"
    assert set(seen) == {6}, "written while the log was looked through"
    log.late[0].join()
    assert {m.prediction_id for m in log.matched()} == {names[0][0], log.read(0, 1)[0].ids[0]}
    commits.close()
    log.close()
