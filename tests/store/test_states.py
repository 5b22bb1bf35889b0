from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from gleis.store.states import SqliteStates


def test_the_last_write_counts(tmp_path):
    states = SqliteStates(tmp_path / "states.db")
    assert states.get("drift") is None
    for body in (b"1", b"", b"3" * 1_000_000):
        states.put("drift", body)
        assert states.get("drift") == body
    states.close()
    assert SqliteStates(tmp_path / "states.db").get("drift") == b"3" * 1_000_000


def test_whole_or_absent_from_many_threads(tmp_path):
    states = SqliteStates(tmp_path / "states.db")
    bodies = {bytes([i]) * 50_000 for i in range(8)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: states.put("drift", body), bodies))
        assert set(pool.map(lambda _: states.get("drift"), range(8))) <= bodies
