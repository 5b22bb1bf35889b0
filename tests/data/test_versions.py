from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gleis.contracts.dataset import Moved
from gleis.contracts.errors import RegistryError
from gleis.data.dataset import Datasets
from small_datasets import PROVENANCE, days


@pytest.fixture
def datasets(home, make_settings, clock):
    made = Datasets(home, make_settings(id="id", time="at"), clock)
    for day in (1, 2, 3):
        made.append(days(day), PROVENANCE)
        clock.move_to(clock.now() + timedelta(days=1))
    return made  # recorded on 1, 2 and 3 June


def test_a_moment_finds_the_newest_recorded_by_then(datasets):
    for ref, number in {
        "2013-06-01": 1,
        "2013-06-02T00:00+00:00": 2,
        "2013-06-01T23:59:59": 1,
        "2013-06-02T01:00+02:00": 1,
        "p@2030-01-01": 3,
    }.items():
        assert datasets.get(ref).version == number
    with pytest.raises(RegistryError, match=r"by 2013-05-31 00:00.*p@v1 is the first, of 2013"):
        datasets.get("2013-05-31")


def test_two_versions_are_no_range(datasets, clock):
    datasets.marks.remove(3, "me", clock.now())
    with pytest.raises(RegistryError, match=r"There are: v1, v2\."):
        datasets.get("v9")


def test_a_name_finds_its_version(datasets, clock):
    datasets.marks.give("q1-audit", 2, "me", clock.now())
    assert datasets.get("q1-audit").version == datasets.get("p@q1-audit").version == 2
    with pytest.raises(RegistryError, match=r"Did you mean q1-audit\?"):
        datasets.get("q1-audits")


def test_a_removed_version_is_gone_for_all_who_read(datasets, clock):
    second, third = datasets.get(2), datasets.get(3)
    datasets.marks.remove(3, "me", clock.now(), "loaded twice")
    for refused in (
        lambda: datasets.get("v3"),
        lambda: datasets.read(third),
        lambda: next(datasets.parts(third)),
        lambda: datasets.restore(third, PROVENANCE),
    ):
        with pytest.raises(RegistryError, match=r"p@v3 was removed on 2013-06-04 .* by me \(load"):
            refused()
    assert datasets.latest() == datasets.get("latest") == second
    assert [version.version for version in datasets.versions()] == [1, 2]
    fourth = datasets.append(days(9), PROVENANCE)
    assert (fourth.version, fourth.parent, fourth.rows) == (4, 2, 3)
    assert datasets.read(fourth)["id"].to_list() == [1, 2, 9]


def test_rows_that_moved_are_read_where_they_are(datasets, clock):
    """As after an erasure: the version keeps its number, its rows are in another table version."""
    old = datasets.get(2)
    table_version = datasets.table.restore(datasets.get(1).table_version)
    mark = Moved(
        dataset="p", version=2, table_version=table_version, rows=1, labelled=1,
        at=datetime(2013, 7, 1, tzinfo=UTC), by="me", why="erased",
    )  # fmt: skip
    datasets.marks.move(mark)
    assert datasets.get(2).rows == 1
    assert datasets.read(old)["id"].to_list() == [1], "a run keeps the old record"
    assert datasets.latest().version == 3
    assert datasets.append(days(4), PROVENANCE).rows == 4
