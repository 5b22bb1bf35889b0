"""What every backend of a store's port must do.

Hand ``check_artifact_store``, ``check_fact_store``, ``check_state_store``, ``check_outbox``,
``check_reviews`` or ``check_prediction_log`` a function that makes a fresh, empty store; each check
gets one of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.notice import Waiting
from gleis.contracts.ports import (
    ArtifactStore,
    FactStore,
    Outbox,
    PredictionLog,
    Reviews,
    StateStore,
)
from gleis.contracts.prediction import Batch, Label
from gleis.contracts.review import Queued

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_batch(rows=1, *, entities=None, score=0.25, at=NOON, version=1, fallback=False):
    return Batch(
        at=at,
        version=version,
        digest="d" * 64,
        fallback=fallback,
        rows=rows,
        features={"temp": [float(i) for i in range(rows)]}
        | {"carrier": ["AA" if i % 2 else None for i in range(rows)]},
        scores=[score + i for i in range(rows)],
        entities=list(entities) if entities is not None else [None] * rows,
        times=[at - HOUR] * rows,
        flags={"temp: out of range": [0]} if rows else {},
    )


def check_artifact_store(make: Callable[[], ArtifactStore]) -> None:
    for check in ARTIFACT_CHECKS:
        check(make())


def check_fact_store(make: Callable[[], FactStore]) -> None:
    for check in FACT_CHECKS:
        check(make())


def check_state_store(make: Callable[[], StateStore]) -> None:
    for check in STATE_CHECKS:
        check(make())


def check_outbox(make: Callable[[], Outbox]) -> None:
    for check in OUTBOX_CHECKS:
        check(make())


def check_reviews(make: Callable[[], Reviews]) -> None:
    for check in REVIEW_CHECKS:
        check(make())


def check_prediction_log(make: Callable[[], PredictionLog]) -> None:
    for check in LOG_CHECKS:
        check(make())


def artifact_comes_back(store):
    for content in (b"", b"weights", bytes(range(256)) * 1000):
        digest = store.put(content)
        assert digest == hashlib.sha256(content).hexdigest()
        assert store.has(digest)
        assert store.get(digest) == content


def artifact_twice_is_once(store):
    assert store.put(b"x") == store.put(b"x")
    assert store.get(hashlib.sha256(b"x").hexdigest()) == b"x"


def artifact_unknown_is_an_error(store):
    absent = hashlib.sha256(b"absent").hexdigest()
    assert not store.has(absent)
    with pytest.raises(StoreError, match=absent):
        store.get(absent)


def artifacts_are_named_and_removed(store):
    assert store.names() == []
    digests = [store.put(content) for content in (b"one", b"two")]
    assert store.names() == sorted(digests)
    store.remove(digests[0])
    store.remove(digests[0])
    assert store.names() == digests[1:]
    assert not store.has(digests[0])
    with pytest.raises(StoreError):
        store.get(digests[0])
    with pytest.raises(StoreError):
        store.remove("../../etc/passwd")


def artifact_name_cannot_leave_the_store(store):
    for name in ("", "../../etc/passwd", "/etc/passwd", "A" * 64):
        with pytest.raises(StoreError):
            store.get(name)


def artifacts_from_many_threads(store):
    contents = [str(i % 7).encode() * 10_000 for i in range(56)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(store.put, contents))
    assert [store.get(digest) for digest in digests] == contents


def facts_keep_their_order(store):
    seqs = [store.append("alarm", key, key.encode(), NOON) for key in "abac"]
    store.append("run", "a", b"other kind", NOON)
    assert seqs == sorted(set(seqs))
    assert list(store.all("alarm")) == [b"a", b"b", b"a", b"c"]
    assert list(store.all("nothing")) == []


def facts_newest_counts(store):
    assert store.latest("run", "a") is None
    for body in (b"1", b"2"):
        store.append("run", "a", body, NOON)
    store.append("run", "b", b"3", NOON)
    assert store.latest("run", "a") == b"2"


def facts_until_a_moment(store):
    for hour in range(3):
        store.append("run", "a", str(hour).encode(), NOON + hour * HOUR)
    assert list(store.all("run", until=NOON + HOUR)) == [b"0", b"1"]
    assert list(store.all("run", until=NOON + HOUR - timedelta(microseconds=1))) == [b"0"]
    elsewhere = (NOON + HOUR).astimezone(tz=None)
    assert list(store.all("run", until=elsewhere)) == [b"0", b"1"]


class _Said(msgspec.Struct, frozen=True):
    number: int


def _say(store, *numbers):
    for number in numbers:
        store.append("said", str(number), msgspec.json.encode(_Said(number)), NOON)


def facts_are_decoded_once(store):
    assert store.decoded("said", _Said) == ()
    _say(store, *range(1005))  # more than one page
    store.append("other", "0", b"no JSON", NOON)
    first = store.decoded("said", _Said)
    assert [one.number for one in first] == list(range(1005))
    assert store.decoded("said", _Said) is first
    _say(store, 1005)
    store.append("other", "1", b"", NOON)
    more = store.decoded("said", _Said)
    assert [one.number for one in more] == list(range(1006))
    assert more[0] is first[0]
    assert store.decoded("said", dict[str, int])[-1] == {"number": 1005}


def facts_are_decoded_from_many_threads(store):
    def say_and_read(number):
        _say(store, number)
        return [one.number for one in store.decoded("said", _Said)]

    with ThreadPoolExecutor(8) as pool:
        reads = list(pool.map(say_and_read, range(40)))
    whole = [one.number for one in store.decoded("said", _Said)]
    assert sorted(whole) == list(range(40))
    # Whoever read saw what there was, in its order, with its own fact among it.
    assert all(whole[: len(read)] == read and n in read for n, read in enumerate(reads))


def facts_append_once(store):
    assert store.append_once("deployment", "cause", b"first", NOON)
    assert not store.append_once("deployment", "cause", b"second", NOON)
    assert store.append_once("deployment", "other", b"third", NOON)
    assert list(store.all("deployment")) == [b"first", b"third"]


def facts_append_once_from_many_threads(store):
    def claim(number):
        return store.append_once("deployment", f"cause {number % 5}", str(number).encode(), NOON)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(40)))
    assert sum(won) == 5
    assert len(list(store.all("deployment"))) == 5


def facts_names_and_ends(store):
    assert store.last("run", "alarm") == 0
    assert store.keys("run") == []
    numbers = [store.append(kind, key, b"", NOON) for kind, key in ("rb", "ra", "xa", "rb")]
    assert store.keys("r") == ["b", "a"]
    assert [store.last("r"), store.last("x"), store.last("x", "r")] == [
        numbers[3],
        numbers[2],
        numbers[3],
    ]


def facts_are_one_chain(store):
    assert store.verify() == 0
    for number in range(1010):
        store.append("run", "ü", bytes([number % 256]), NOON)
    assert store.verify() == 1010
    assert list(store.all("run")) == [bytes([number % 256]) for number in range(1010)]


def facts_become_visible_in_order(store):
    """Whoever goes on behind the last number seen misses none, however many write."""
    writers, each = 8, 12
    seen, ended = [], []

    def write(writer):
        for number in range(each):
            store.append("run", f"{writer} {number}", b"", NOON)
        ended.append(writer)

    def follow():
        while True:
            done = len(ended) == writers
            seen.append((store.last("run"), len(list(store.all("run")))))
            if done:
                return

    with ThreadPoolExecutor(writers + 1) as pool:
        following = pool.submit(follow)
        list(pool.map(write, range(writers)))
        following.result()
    # With nothing but these facts the last number is how many came before it: a gap would show.
    assert all(count >= last for last, count in seen), seen
    assert seen[-1] == (writers * each, writers * each)
    assert store.verify() == writers * each


def facts_of_a_closed_store(store):
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append("run", "a", b"", NOON)
    with pytest.raises(StoreError, match="closed"):
        store.latest("run", "a")


def state_last_write_counts(store):
    assert store.get("drift") is None
    for body in (b"1", b"", bytes(range(256)) * 4000):
        store.put("drift", body)
        assert store.get("drift") == body
    assert store.get("other") is None


def state_whole_from_many_threads(store):
    bodies = {bytes([i]) * 50_000 for i in range(8)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: store.put("drift", body), bodies))
        assert set(pool.map(lambda _: store.get("drift"), range(8))) <= bodies


def waiting_notice(number=1, receiver="email o@x.y"):
    name = f"a{number}"
    return Waiting(notice=f"{name}/alarm", alarm=name, event="alarm", receiver=receiver, since=NOON)


def outbox_keeps_its_order(outbox):
    one = waiting_notice
    outbox.put([])
    outbox.put([one(2), one(1), one(1, "slack x")])
    outbox.put([one(1), one(3)])  # again: it goes on as it was
    assert outbox.waiting() == [one(2), one(1), one(1, "slack x"), one(3)]
    outbox.remove("a1/alarm", "email o@x.y")
    outbox.remove("a1/alarm", "nobody")
    assert outbox.waiting() == [one(2), one(1, "slack x"), one(3)]


def outbox_counts_an_attempt_once(outbox):
    outbox.put([waiting_notice()])
    assert outbox.attempt(waiting_notice(), NOON, 30.0)
    assert not outbox.attempt(waiting_notice(), NOON, 30.0), "it was tried since it was read"
    assert not outbox.attempt(waiting_notice(3), NOON, 30.0), "it does not wait"
    outbox.failed(waiting_notice(), "busy", 60.0)
    (one,) = outbox.waiting()
    assert (one.attempts, one.attempted, one.pause, one.said) == (1, NOON, 60.0, "busy")
    outbox.begin_pause(one, NOON - HOUR)
    assert outbox.waiting()[0].attempted == NOON - HOUR


def outbox_attempt_from_many_threads(outbox):
    outbox.put([waiting_notice()])
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: outbox.attempt(waiting_notice(), NOON, 1.0), range(16)))
    assert sum(won) == 1


def outbox_meets_a_receiver_once(outbox):
    assert outbox.first_of("slack x") is None
    outbox.meet("slack x", 7)
    outbox.meet("slack x", 9)
    assert outbox.first_of("slack x") == 7


def queued_answer(seq, position=0, outlier=9.5):
    return Queued(prediction_id=f"{seq}-{position}-5ca1ab1e", at=NOON, outlier=outlier)


def reviews_oldest_first(reviews):
    found = [queued_answer(12), queued_answer(2, 10), queued_answer(2, 9, None), queued_answer(100)]
    reviews.take(found, 100)
    assert reviews.first(3) == [found[2], found[1], found[0]]
    assert reviews.names() == [found[at].prediction_id for at in (2, 1, 0, 3)]
    assert (reviews.count(), reviews.seen()) == (4, 100)


def reviews_done_does_not_come_back(reviews):
    reviews.take([queued_answer(3), queued_answer(4)], 4)
    reviews.remove([])
    reviews.remove([queued_answer(3).prediction_id, "nobody"])
    reviews.take([queued_answer(3)], 4)
    reviews.take([queued_answer(3)], 2)
    assert reviews.names() == [queued_answer(4).prediction_id]
    assert reviews.seen() == 4
    assert not reviews.holds(queued_answer(3).prediction_id)
    assert reviews.holds(queued_answer(4).prediction_id)


def log_ids_are_unique(log):
    ids = log.append([make_batch(3), make_batch(1)]) + log.append([make_batch(2)])
    assert [len(of_batch) for of_batch in ids] == [3, 1, 2]
    flat = [one for of_batch in ids for one in of_batch]
    assert len(set(flat)) == 6


def log_nothing_to_write(log):
    assert log.append([]) == []
    assert log.append([make_batch(0)]) == [[]]
    assert log.label([], NOON).accepted == 0


def log_label_by_id_and_by_entity(log):
    ((by_id, _),) = log.append([make_batch(2, entities=["AA1", "AA2"])])
    receipt = log.label(
        [Label(value=1, prediction_id=by_id), Label(value=0, entity="AA2")], NOON + HOUR
    )
    assert receipt.accepted == 2
    assert receipt.unknown == ()
    assert receipt.changed == ()


def log_the_prediction_id_decides(log):
    ((name, _),) = log.append([make_batch(2, entities=["AA1", "AA2"])])
    both = [
        Label(value=1, prediction_id=name, entity="AA2"),
        Label(value=1, prediction_id="7-0-5ca1ab1e", entity="AA2"),
    ]
    assert log.label(both, NOON).unknown == ("7-0-5ca1ab1e",)
    assert log.label([Label(value=0, entity="AA2")], NOON).changed == (), "AA2 had no label"
    assert log.label([Label(value=0, entity="AA1")], NOON).changed == (name,)


def log_label_unknown_is_kept_and_said(log):
    receipt = log.label(
        [Label(value=1, prediction_id="7-0-5ca1ab1e"), Label(value=1, entity="ZZ9")], NOON
    )
    assert receipt.accepted == 2
    assert receipt.unknown == ("7-0-5ca1ab1e", "ZZ9")


def log_label_again(log):
    ((name,),) = log.append([make_batch(1)])
    for value, changed in ((1, ()), (1, ()), (0, (name,)), (0, ()), (1, (name,))):
        receipt = log.label([Label(value=value, prediction_id=name)], NOON)
        assert receipt.changed == changed


def log_label_again_in_one_call(log):
    ((name,),) = log.append([make_batch(1)])
    labels = [Label(value=value, prediction_id=name) for value in ("late", "on time")]
    assert log.label(labels, NOON).changed == (name,)


def log_label_without_a_name(log):
    with pytest.raises(DataError, match="names no prediction"):
        log.label([Label(value=1, entity="AA1"), Label(value=1)], NOON)
    assert log.label([Label(value=1, entity="AA1")], NOON).unknown == ("AA1",)


def log_uneven_batch_is_refused(log):
    even = make_batch(2)
    for name, value in (("scores", [0.5]), ("entities", []), ("features", {"temp": [1.0]})):
        broken = {field: getattr(even, field) for field in even.__struct_fields__} | {name: value}
        with pytest.raises(DataError, match="2 rows"):
            log.append([even, Batch(**broken)])


ARTIFACT_CHECKS = (
    artifact_comes_back,
    artifact_twice_is_once,
    artifact_unknown_is_an_error,
    artifacts_are_named_and_removed,
    artifact_name_cannot_leave_the_store,
    artifacts_from_many_threads,
)
FACT_CHECKS = (
    facts_keep_their_order,
    facts_newest_counts,
    facts_until_a_moment,
    facts_are_decoded_once,
    facts_are_decoded_from_many_threads,
    facts_append_once,
    facts_append_once_from_many_threads,
    facts_names_and_ends,
    facts_are_one_chain,
    facts_become_visible_in_order,
    facts_of_a_closed_store,
)
STATE_CHECKS = (state_last_write_counts, state_whole_from_many_threads)
OUTBOX_CHECKS = (
    outbox_keeps_its_order,
    outbox_counts_an_attempt_once,
    outbox_attempt_from_many_threads,
    outbox_meets_a_receiver_once,
)
REVIEW_CHECKS = (reviews_oldest_first, reviews_done_does_not_come_back)
LOG_CHECKS = (
    log_ids_are_unique,
    log_nothing_to_write,
    log_label_by_id_and_by_entity,
    log_the_prediction_id_decides,
    log_label_unknown_is_kept_and_said,
    log_label_again,
    log_label_again_in_one_call,
    log_label_without_a_name,
    log_uneven_batch_is_refused,
)
