from __future__ import annotations

import time

from test_http import samples

from gleis.serving.metrics import Metrics
from gleis.serving.saturation import Saturation
from gleis.store.counters import Counters
from gleis.store.log.group_commit import GroupCommit
from gleis.store.log.sqlite_log import SqlitePredictionLog


def test_a_service_says_how_busy_it_is(client, service):
    deadline = time.monotonic() + 10
    while not (found := samples(client)).get(("gleis_connections",)):  # this client's own
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found["gleis_workers",] == 1
    assert found["gleis_connections_most",] == 1000
    assert found["process_cpu_seconds_total",] > 0
    assert found["process_resident_memory_bytes",] > 1e6


def test_workers_are_summed_and_one_in_a_dead_ones_place_begins_anew(tmp_path):
    commits = GroupCommit(SqlitePredictionLog(tmp_path / "log.db"))
    (tmp_path / "counters").mkdir()

    def worker(place):
        return Metrics("flights", Counters(tmp_path / "counters" / place))

    def shown(metrics):
        return {
            one.name: one.value
            for family in metrics.collect()
            for one in family.samples
            if one.name.startswith("gleis_connections")
        }

    first, second = worker("0"), worker("1")
    Saturation(first, commits).note(3, 10, 1.0)
    Saturation(second, commits).note(4, 10, 1.0)
    assert shown(first) == {"gleis_connections": 7, "gleis_connections_most": 20}
    again = worker("1")
    assert shown(again)["gleis_connections"] == 3
    commits.close()
