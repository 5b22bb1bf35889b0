from __future__ import annotations

import gzip
import os
import threading
from datetime import UTC, datetime

import polars as pl
import pytest

from gleis.contracts.errors import ConfigError, DataError, GleisError
from gleis.data.sources.settled import SETTLE
from gleis.lifecycle.data.ingest import ASIDE
from gleis.lifecycle.project import Project
from weather_project import at_rest, make_weather, put

JANUARY = "at,temp\n2013-01-01T00:00:00Z,1.5\n2013-01-02T00:00:00Z,2.5\n"
FEBRUARY = "at,temp\n2013-02-01T00:00:00Z,3\n"


def test_files_of_a_folder_are_taken_once(tmp_path):
    project = make_weather(tmp_path, "in", 'time = "at"')
    put(tmp_path / "in/jan.csv", JANUARY)
    found = project.data.ingest("weather")
    (version,) = found.made
    assert (found.rows, version.label, version.first) == (
        2,
        "weather@v1",
        datetime(2013, 1, 1, tzinfo=UTC),
    )
    (file,) = version.provenance.files
    assert (file.path, file.rows, file.size) == ("in/jan.csv", 2, len(JANUARY))
    assert file.hash.startswith("sha256:")
    again = project.data.ingest("weather")
    assert again.made == ()
    assert again.latest == version
    put(tmp_path / "in/feb.csv", FEBRUARY)
    more = project.data.ingest("weather")
    assert more.latest.label == "weather@v2"
    assert [file.path for file in more.latest.provenance.files] == ["in/feb.csv"]
    assert project.data.read("weather@latest")["temp"].to_list() == [1.5, 2.5, 3.0]


def test_new_files_together_are_one_version_in_the_order_of_their_names(tmp_path):
    project = make_weather(tmp_path, "in/*.csv")
    for name in ("b", "a", "c"):
        put(tmp_path / f"in/{name}.csv", f"x\n{name}\n")
    put(tmp_path / "in/other.txt", "not matched")
    found = project.data.ingest("weather")
    assert len(found.made) == 1
    assert project.data.read("weather@latest")["x"].to_list() == ["a", "b", "c"]


def test_a_file_that_is_still_written_is_left_for_later(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/whole.csv", JANUARY)
    for name in ("a.csv.tmp", "b.csv.part", ".hidden.csv", "_half.csv", "~open.csv"):
        put(tmp_path / f"in/{name}", "never read")
    growing = tmp_path / "in/growing.csv"
    vanishing = tmp_path / "in/vanishing.csv"
    vanishing.write_text(JANUARY)
    stop = threading.Event()

    def write():
        with growing.open("w") as file:
            file.write("at,temp\n")
            while not stop.wait(SETTLE / 10):
                file.write("2013-01-03T00:00:00Z,3\n")
                file.flush()
                vanishing.unlink(missing_ok=True)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not growing.exists():
            pass
        found = project.data.ingest("weather")
    finally:
        stop.set()
        writer.join()
    assert [one.what for one in found.left] == ["in/growing.csv"]
    assert [file.path for file in found.latest.provenance.files] == ["in/whole.csv"]
    at_rest(growing)
    assert project.data.ingest("weather").files == 1


def test_a_file_that_changed_after_it_was_taken_is_told_and_not_taken_again(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/jan.csv", JANUARY)
    project.data.ingest("weather")
    put(tmp_path / "in/jan.csv", JANUARY + "2013-01-03T00:00:00Z,9\n")
    found = project.data.ingest("weather")
    assert found.made == ()
    assert "changed after it was taken" in found.left[0].reason
    anew = project.data.ingest("weather", anew=True)
    assert anew.latest.rows == 3
    assert anew.latest.parent is None
    assert project.data.ingest("weather").left == ()


def test_a_touched_file_is_the_same_file(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/jan.csv", JANUARY)
    project.data.ingest("weather")
    at_rest(tmp_path / "in/jan.csv", 30)
    found = project.data.ingest("weather")
    assert (found.made, found.left) == ((), ())


def test_a_bad_file_refuses_the_append_and_is_named(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/a.csv", JANUARY)
    project.data.ingest("weather")
    put(tmp_path / "in/b.csv", FEBRUARY)
    put(tmp_path / "in/c.csv", "at,temp\n2013-02-01T00:00:00Z,warm\n")
    with pytest.raises(DataError, match=r"in/c.csv cannot be taken: .*temp.*row 1 has: 'warm'"):
        project.data.ingest("weather")
    assert project.data.read("weather@latest").height == 2
    put(tmp_path / "in/c.csv", FEBRUARY.replace("02-01", "02-02"))
    assert project.data.ingest("weather").files == 2


def test_a_bad_file_is_set_aside_with_its_reason_and_the_others_go_on(tmp_path):
    project = make_weather(tmp_path, "in", failing="quarantine")
    put(tmp_path / "in/a.csv", JANUARY)
    put(tmp_path / "in/b.parquet", b"PAR1 and then the writer died")
    put(tmp_path / "in/c.csv", FEBRUARY)
    found = project.data.ingest("weather")
    assert [file.path for file in found.latest.provenance.files] == ["in/a.csv", "in/c.csv"]
    (aside,) = found.set_aside
    assert (aside.what, "lacks Parquet's footer" in aside.reason) == ("in/b.parquet", True)
    assert project.data.ingest("weather").set_aside == (), "told once"
    (kept,) = project.home.facts.all(ASIDE)
    assert b"footer" in kept
    assert b"bytes" not in kept, "what was seen is told, and not kept for ever"
    frame = pl.DataFrame({"at": [datetime(2013, 3, 1, tzinfo=UTC)], "temp": [4.0]})
    frame.write_parquet(tmp_path / "in/b.parquet")
    at_rest(tmp_path / "in/b.parquet")
    assert project.data.ingest("weather").files == 1, "mended, it is taken"


def test_ids_that_are_there_already_are_found_file_by_file(tmp_path):
    project = make_weather(tmp_path, "in", 'id = "n"', failing="quarantine")
    for name, ids in {"a": (1, 2), "b": (3, 4), "c": (4, 5), "d": (6, 7), "e": (8, 8)}.items():
        put(tmp_path / f"in/{name}.csv", "n\n" + "".join(f"{n}\n" for n in ids))
    found = project.data.ingest("weather")
    assert sorted(one.what for one in found.set_aside) == ["in/c.csv", "in/e.csv"]
    assert sorted(project.data.read("weather@latest")["n"]) == [1, 2, 3, 4, 6, 7]


def test_columns_that_change_upstream_are_named_and_taken_when_meant(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/a.csv", JANUARY)
    project.data.ingest("weather")
    put(tmp_path / "in/b.csv", "at,temperature\n2013-02-01T00:00:00Z,3\n")
    with pytest.raises(DataError, match=r"in/b.csv .*missing: temp; new: temperature.*--anew"):
        project.data.ingest("weather")
    (tmp_path / "in/a.csv").unlink()
    assert project.data.ingest("weather", anew=True).latest.columns.keys() == {"at", "temperature"}
    assert project.data.read("weather@v1").columns == ["at", "temp"]


def test_files_without_rows_are_no_version(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/a.csv", "at,temp\n")
    put(tmp_path / "in/b.csv", "")
    found = project.data.ingest("weather")
    assert (found.latest, found.made) == (None, ())
    assert [one.what for one in found.left] == ["in/b.csv"]
    put(tmp_path / "in/c.csv", JANUARY)
    assert project.data.ingest("weather").latest.rows == 2


def test_a_file_that_breaks_while_it_is_read_is_bad(tmp_path):
    project = make_weather(tmp_path, "in", failing="quarantine")
    put(tmp_path / "in/a.csv", JANUARY)
    (tmp_path / "in/b.csv").symlink_to("/proc/self/mem")
    found = project.data.ingest("weather")
    assert [(one.what, one.hash) for one in found.set_aside] == [("in/b.csv", "")]
    assert "Input/output error" in found.set_aside[0].reason
    assert project.data.ingest("weather").set_aside == (), "told once"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_bad(tmp_path):
    project = make_weather(tmp_path, "in", failing="quarantine")
    put(tmp_path / "in/a.csv", JANUARY)
    put(tmp_path / "in/b.csv", FEBRUARY).chmod(0)
    found = project.data.ingest("weather")
    assert "Permission denied" in found.set_aside[0].reason
    assert found.latest.rows == 2
    (tmp_path / "in/b.csv").chmod(0o644)
    assert project.data.ingest("weather").files == 1


def test_a_file_that_grows_is_appended_to(tmp_path):
    project = make_weather(tmp_path, "weather.csv")
    put(tmp_path / "weather.csv", JANUARY)
    project.data.ingest("weather")
    put(tmp_path / "weather.csv", JANUARY + "2013-01-03T00:00:00Z,4\n")
    found = project.data.ingest("weather")
    assert (found.latest.parent, found.latest.rows) == (1, 3)
    assert project.data.ingest("weather").made == ()
    put(tmp_path / "weather.csv", FEBRUARY)
    found = project.data.ingest("weather")
    assert (found.latest.parent, found.latest.rows) == (None, 1), "written anew: a snapshot"


def test_a_source_that_is_not_there(tmp_path):
    project = make_weather(tmp_path, "weather.csv")
    with pytest.raises(DataError, match=r"not there: 'weather.csv'"):
        project.data.ingest("weather")
    nothing = make_weather(tmp_path / "b", "in/").data.ingest("weather")
    assert (nothing.latest, nothing.made) == (None, ())


def test_a_source_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match=r"no source that can be read: 'ftp://host/x'"):
        make_weather(tmp_path, "ftp://host/x").data.ingest("weather")


def test_two_at_once_take_each_file_once(tmp_path):
    project = make_weather(tmp_path, "in")
    for n in range(20):
        put(tmp_path / f"in/{n:02}.csv", f"x\n{n}\n")
    failures = []

    def take():
        try:
            Project.open(tmp_path).data.ingest("weather")
        except GleisError as error:
            failures.append(error)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(project.data.read("weather@latest")["x"]) == list(range(20))


def test_what_a_restored_version_had_not_taken_is_new_again(tmp_path):
    project = make_weather(tmp_path, "in")
    for name in ("a", "b", "c"):
        put(tmp_path / f"in/{name}.csv", f"x\n{name}\n")
        project.data.ingest("weather")
    assert project.data.restore("weather@v1").version == 4
    found = project.data.ingest("weather")
    assert (found.files, found.latest.label) == (2, "weather@v5")
    assert project.data.read("weather@latest")["x"].to_list() == ["a", "b", "c"]


def test_what_a_removed_version_had_taken_is_not_taken_again(tmp_path):
    project = make_weather(tmp_path, "in")
    for name in ("a", "b", "c"):
        put(tmp_path / f"in/{name}.csv", f"x\n{name}\n")
        project.data.ingest("weather")
    project.data.remove("weather@v2")
    assert project.data.ingest("weather").made == ()


def test_a_json_line_that_is_no_row_is_named(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/a.jsonl", '{"x": 1}\n\n{"x": "one"}\n')
    with pytest.raises(DataError, match=r"Line 3: x is text; the column holds whole .*: 'one'"):
        project.data.ingest("weather")
    put(tmp_path / "in/a.jsonl", '{"x": 1}\n[2]\n')
    with pytest.raises(DataError, match=r"Line 2 is no JSON object"):
        project.data.ingest("weather")


def test_formats_come_to_the_same(tmp_path):
    project = make_weather(tmp_path, "in")
    frame = pl.DataFrame({"n": [1, 2_000_000_000], "x": [0.5, None], "t": ["a", "b"]})
    (tmp_path / "in").mkdir()
    frame.write_parquet(tmp_path / "in/a.parquet")
    frame.write_csv(tmp_path / "in/b.csv")
    frame.write_ndjson(tmp_path / "in/c.jsonl")
    frame.write_ipc(tmp_path / "in/d.arrow")
    frame.write_ipc_stream(tmp_path / "in/e.arrow")
    frame.write_csv(tmp_path / "in/f.tsv", separator="\t")
    (tmp_path / "in/g.jsonl.gz").write_bytes(gzip.compress((tmp_path / "in/c.jsonl").read_bytes()))
    assert project.data.ingest("weather").files == 7
    assert project.data.read("weather@latest").equals(pl.concat([frame] * 7))


def test_a_note_is_kept_with_what_was_taken(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/jan.csv", JANUARY)
    found = project.data.ingest("weather", note="from the archive")
    assert found.latest.provenance.note == "from the archive"


def test_a_file_moved_or_copied_is_not_taken_again(tmp_path):
    project = make_weather(tmp_path, "in")
    put(tmp_path / "in/jan.csv", JANUARY)
    put(tmp_path / "in/jan (1).csv", JANUARY)
    found = project.data.ingest("weather")
    assert (found.rows, found.left[0].reason) == (
        2,
        "it holds the bytes of in/jan (1).csv, which is in",
    )
    (tmp_path / "in/jan (1).csv").rename(tmp_path / "in/archived.csv")
    again = project.data.ingest("weather")
    assert again.made == ()
    assert {one.what for one in again.left} == {"in/archived.csv", "in/jan.csv"}


def test_a_source_that_names_no_file_is_told(tmp_path):
    for at, where in enumerate(("weathr/", "in/*.csv")):
        project = make_weather(tmp_path / str(at), where)
        (left,) = project.data.ingest("weather").left
        assert (left.what, left.reason) == (where, "there is no such file yet")


def test_a_pattern_passes_over_folders_that_are_not_complete(tmp_path):
    project = make_weather(tmp_path, "raw/**/*.csv")
    put(tmp_path / "raw/_temporary/0/a.csv", JANUARY)
    put(tmp_path / "raw/day=1/a.csv", FEBRUARY)
    assert project.data.ingest("weather").rows == 1
    under = make_weather(tmp_path / "other", "../raw/_temporary/**/*.csv")
    assert under.data.ingest("weather").rows == 2
