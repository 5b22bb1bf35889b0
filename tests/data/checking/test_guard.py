from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
import pytest

from gleis.config.check_settings import ColumnChecks, RowsChecks
from gleis.config.data_settings import DatasetSettings, DataSettings
from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import DataError
from gleis.data.checking.quarantine import REASON, Quarantine, release_provenance
from gleis.data.dataset import Datasets

PROVENANCE = Provenance(
    source="p:load",
    since=None,
    until=datetime(2013, 6, 1, tzinfo=UTC),
    loaded_at=datetime(2013, 6, 1, tzinfo=UTC),
    loaded_by="me@here",
    code="c1",
)


def rows(temps, carriers=None, start=0, day=1):
    n = len(temps)
    return pl.DataFrame(
        {
            "id": list(range(start, start + n)),
            "at": pl.Series(
                [datetime(2013, 5, day, tzinfo=UTC)] * n, dtype=pl.Datetime("us", "UTC")
            ),
            "temp": pl.Series(temps, dtype=pl.Float64),
            "carrier": carriers or ["AA"] * n,
            "late": [1] * n,
        }
    )


@pytest.fixture
def open_datasets(home, clock, make_settings):
    def opened(name=None, datasets=None, rows=None, failing="quarantine", share=0.5, **checks):
        settings = msgspec.structs.replace(
            make_settings(id="id", time="at"),
            data=DataSettings(
                failing=failing, max_failing=share, checks=checks, rows=rows or RowsChecks()
            ),
            datasets=datasets or {},
        )
        return Datasets(home, settings, clock, name)

    return opened


TEMP = ColumnChecks(min=-40, nullable=False)
CARRIER = ColumnChecks(among=("AA", "UA"))


def test_rows_that_fail_are_set_aside_with_the_reason(open_datasets, home):
    datasets = open_datasets(temp=TEMP, carrier=CARRIER)
    first = datasets.append(rows([1, 2, -90, 4], ["AA", "AA", "ZZ", "UA"]), PROVENANCE)
    assert (first.rows, first.quarantined) == (3, 1)
    assert datasets.read(first)["id"].to_list() == [0, 1, 3]
    quarantine = Quarantine(home, datasets)
    aside = quarantine.read(first)
    assert aside.drop(REASON).equals(rows([-90], ["ZZ"], start=2))
    assert aside[REASON].to_list() == ["temp: below -40; carrier: none of AA, UA"]
    (kept,) = quarantine.kept()
    assert (kept.version, kept.rows, kept.state) == ("p@v1", 1, "waiting")
    assert kept.reasons == {"temp: below -40": 1, "carrier: none of AA, UA": 1}


def test_refused_in_one_sentence(open_datasets):
    datasets = open_datasets(failing="refuse", temp=TEMP, carrier=CARRIER)
    with pytest.raises(DataError) as caught:
        datasets.append(rows([1, -50, -60, -70, -90, None], ["AA"] * 5 + ["ZZ"]), PROVENANCE)
    said = str(caught.value)
    assert "5 of 6 rows of p fail a check: " in said
    assert "temp: missing in 1 (None in row 5)" in said
    assert "temp: below -40 in 4 (-50.0 in row 1, -60.0 in row 2, -70.0 in row 3, …)" in said
    assert "carrier: none of AA, UA in 1 ('ZZ' in row 5)" in said
    assert 'data.failing = "quarantine"' in said
    assert datasets.latest() is None


def test_too_many_are_refused_all_the_same(open_datasets):
    datasets = open_datasets(share=0.25, temp=TEMP)
    with pytest.raises(DataError, match=r"2 of 4 rows .* more than data.max_failing = 0.25"):
        datasets.append(rows([1, 2, -90, None]), PROVENANCE)
    assert datasets.latest() is None


def test_an_append_of_failing_rows_only_still_counts(open_datasets):
    datasets = open_datasets(share=1.0, temp=TEMP)
    first = datasets.append(rows([1, 2]), PROVENANCE)
    second = datasets.append(
        rows([-90], start=5), msgspec.structs.replace(PROVENANCE, cursor="offset 7")
    )
    assert (second.label, second.rows, second.quarantined) == ("p@v2", 2, 1)
    assert (second.content, second.provenance.cursor) == (first.content, "offset 7")
    assert datasets.read(second).equals(datasets.read(first))
    third = datasets.append(rows([3], start=6), PROVENANCE)
    assert datasets.read(third)["id"].to_list() == [0, 1, 6]


def test_a_source_that_delivers_everything_again_sets_nothing_aside_twice(open_datasets, home):
    datasets = open_datasets(share=0.2, temp=TEMP)
    datasets.append(rows([1, 2, 3, 4, -90]), PROVENANCE)
    latest = datasets.append(rows([-90], start=4), PROVENANCE)
    assert latest.label == "p@v1"
    with pytest.raises(DataError, match="1 of 1 rows"):
        datasets.append(rows([-91], start=4), PROVENANCE)
    # A snapshot has a quarantine of its own.
    snapshot = datasets.replace(rows([1, 2, 3, 5, -90]), PROVENANCE)
    assert snapshot.quarantined == 1
    assert [kept.state for kept in Quarantine(home, datasets).kept()] == [
        "loaded anew since",
        "waiting",
    ]


def test_what_was_set_aside_comes_back_through_the_checks(open_datasets, home):
    strict = open_datasets(temp=TEMP)
    first = strict.append(rows([1, 2, 3, -50, -90]), PROVENANCE)
    mended = open_datasets(temp=ColumnChecks(min=-60))
    quarantine = Quarantine(home, mended)
    back = release_provenance(first, first, PROVENANCE)
    second = mended.append(quarantine.read(first).drop(REASON), back)
    assert (second.rows, second.quarantined) == (4, 1)
    assert quarantine.read(second)["temp"].to_list() == [-90]
    assert [(k.version, k.state) for k in quarantine.kept()] == [
        ("p@v1", "released into p@v2"),
        ("p@v2", "waiting"),
    ]


def test_a_key_may_not_be_in_an_earlier_row(open_datasets, home):
    datasets = open_datasets(
        rows=RowsChecks(unique=(("at", "carrier"),)), id=ColumnChecks(unique=True)
    )
    datasets.append(rows([1], ["AA"]), PROVENANCE)
    second = datasets.append(rows([2, 3, 4], ["AA", "UA", "DL"]), PROVENANCE)
    assert second.quarantined == 1
    aside = Quarantine(home, datasets).read(second)
    assert aside[REASON].to_list() == ["id: in an earlier row; at, carrier: in an earlier row"]


def test_references(open_datasets):
    beside = {"fleet": DatasetSettings(id="code")}
    check = ColumnChecks(references="fleet")
    datasets = open_datasets(datasets=beside, carrier=check)
    with pytest.raises(DataError, match=r"fleet\.code, which has no rows yet"):
        datasets.append(rows([1, 2], ["AA", "UA"]), PROVENANCE)
    open_datasets("fleet", datasets=beside).append(pl.DataFrame({"code": ["AA"]}), PROVENANCE)
    assert datasets.append(rows([1, 2], ["AA", "UA"]), PROVENANCE).quarantined == 1
    with pytest.raises(DataError, match=r"fleet\.kode, which has no such column"):
        open_datasets(datasets=beside, carrier=ColumnChecks(references="fleet.kode")).append(
            rows([1], start=9), PROVENANCE
        )
    with pytest.raises(DataError, match="holds String, not Float64"):
        open_datasets(datasets=beside, temp=check).append(rows([1], start=9), PROVENANCE)


def test_a_table_beside_has_checks_of_its_own(open_datasets):
    beside = {"fleet": DatasetSettings(checks={"seats": ColumnChecks(min=1)})}
    fleet = open_datasets("fleet", datasets=beside, failing="refuse", temp=TEMP)
    with pytest.raises(DataError, match="of fleet fail a check: seats: below 1"):
        fleet.append(pl.DataFrame({"seats": [0]}), PROVENANCE)


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ({"dew": ColumnChecks()}, "data.checks.dew names is not among the rows"),
        ({"temp": ColumnChecks(type="text")}, "Column temp holds Float64, data.checks.temp"),
        ({"carrier": ColumnChecks(type="number")}, "holds String, data.checks.carrier declares"),
        ({"carrier": ColumnChecks(max=3)}, "max cannot be asked"),
        ({"temp": ColumnChecks(max_missing=0.2)}, "temp is missing in 1 of 4 rows, more than 0.2"),
        ({"at": ColumnChecks(fresh="7d")}, "newest at is 2013-05-01 00:00, more than 7d before"),
        ({"temp": ColumnChecks(fresh="7d")}, "temp holds Float64, no times"),
        ({"rows": RowsChecks(min=5)}, "the version would hold 4 rows, fewer than 5"),
        ({"rows": RowsChecks(max_new=3)}, "there are 4 new rows, more than 3"),
        ({"rows": RowsChecks(unique=(("at", "tail"),))}, "data.rows.unique names is not .*tail"),
    ],
)
def test_what_rows_must_hold_together_refuses_all(open_datasets, checks, said):
    with pytest.raises(DataError, match=said):
        open_datasets(**checks).append(rows([1, 2, 3, None]), PROVENANCE)


def test_whole_numbers_with_a_gap_are_integers(open_datasets, home):
    datasets = open_datasets(temp=ColumnChecks(type="integer"))
    version = datasets.append(rows([1, None, 2.5]), PROVENANCE)
    assert datasets.read(version)["temp"].to_list() == [1, None]


def test_counts_and_freshness_look_at_the_version_to_be(open_datasets, clock):
    datasets = open_datasets(rows=RowsChecks(min_new=2, max=4), at=ColumnChecks(fresh="31d"))
    datasets.append(rows([1, 2]), PROVENANCE)
    with pytest.raises(DataError, match="1 new rows, fewer than 2"):
        datasets.append(rows([1], start=5), PROVENANCE)
    with pytest.raises(DataError, match="would hold 5 rows, more than 4"):
        datasets.append(rows([1, 2, 3], start=5), PROVENANCE)
    clock.move_to(clock.now() + timedelta(days=1))
    with pytest.raises(DataError, match="more than 31d before 2013-06-02"):
        datasets.append(rows([1, 2], start=5), PROVENANCE)
    datasets.append(rows([1, 2], start=5, day=30), PROVENANCE)


def test_a_distribution_that_moved_is_refused_and_a_small_sample_is_not(open_datasets):
    datasets = open_datasets(temp=ColumnChecks(max_psi=0.25))
    usual = [float(n % 50) for n in range(1000)]
    datasets.append(rows(usual), PROVENANCE)
    datasets.append(rows([45.0, 3.0, 44.0], start=2000), PROVENANCE)
    with pytest.raises(DataError, match=r"temp has moved .* surely above 0.25"):
        datasets.append(rows([n + 20 for n in usual], start=3000), PROVENANCE)
    datasets.append(rows(usual, start=3000), PROVENANCE)
