"""A table on disk, scored: every format, every row, in order, whatever happens in between."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gleis
from gleis.contracts.errors import (
    BlockedError,
    ConfigError,
    DataError,
    InvalidRowError,
    StoreError,
    UnavailableError,
)
from gleis.serving.batch.scoring import Options, score_file

SMALL = Options(rows_per_part=100)


def replace(**changes):
    return msgspec.structs.replace(SMALL, **changes)


def flights(rows=1234, seed=0):
    draw = np.random.default_rng(seed)
    temp = draw.normal(10, 8, rows)
    return pl.DataFrame(
        {
            "flight": np.arange(rows),
            "gate": draw.choice(["A1", "B2"], rows),
            "distance": draw.uniform(50, 6000, rows).round(2),
            "temp": [None if t > 20 else round(t, 2) for t in temp],
            "hour": draw.integers(0, 24, rows),
            "carrier": draw.choice(["AA", "UA", "ZZ"], rows),
        }
    )


@pytest.fixture(params=["binary", "multiclass", "regression", "rule"])
def scorer(packages, request):
    return gleis.load(packages[request.param].path)


@pytest.fixture
def binary(packages):
    return gleis.load(packages["binary"].path)


def as_parquet(frame, folder):
    frame.write_parquet(folder / "in.parquet", row_group_size=333)
    return folder / "in.parquet"


def as_csv(frame, folder):
    frame.write_csv(folder / "in.csv")
    return folder / "in.csv"


def as_arrow(frame, folder):
    frame.write_ipc(folder / "in.arrow", record_batch_size=333)
    return folder / "in.arrow"


def as_folder(frame, folder):
    (folder / "in").mkdir()
    for at in range(0, frame.height, 500):
        frame.slice(at, 500).write_parquet(folder / "in" / f"{at:05d}.parquet")
    return folder / "in"


def as_delta(frame, folder):
    frame.write_delta(folder / "in")
    return folder / "in"


FORMATS = [as_parquet, as_csv, as_arrow, as_folder, as_delta]


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_is_scored_as_predict_scores(tmp_path, scorer, write):
    frame = flights()
    done = score_file(
        write(frame, tmp_path), tmp_path / "out.parquet", scorer, replace(keep="all"), version=7
    )
    assert (done.rows, done.bad, done.fallbacks, done.resumed_at) == (1234, 0, 0, 0)
    out = pl.read_parquet(tmp_path / "out.parquet")
    if write is as_delta:  # promises no order
        out = out.sort("flight")
    expected = scorer.predict(frame)
    for name, values in scorer.score_columns(expected).items():
        np.testing.assert_array_equal(out[name], values)
    assert out["prediction"].to_list() == scorer.decide(expected).tolist()
    flags = [answer["flags"] for answer in scorer.answer(frame)]
    assert [sorted(found) for found in out["flags"].to_list()] == [sorted(told) for told in flags]
    assert done.flags == {flag: sum(flag in told for told in flags) for flag in {*chain(*flags)}}
    assert set(out["model_version"]) == {7}
    assert set(out["model_digest"]) == {scorer.package.digest}
    features = scorer.contract.names
    assert out.select(features).equals(frame.select(features))
    assert out["gate"].to_list() == frame["gate"].to_list()


def test_the_output_names_what_made_it(tmp_path, binary):
    source = as_parquet(flights(), tmp_path)
    done = score_file(source, tmp_path / "out.parquet", binary, SMALL, version=7)
    content = (tmp_path / "out.parquet").read_bytes()
    assert done.sha256 == hashlib.sha256(content).hexdigest()
    notes = pq.read_metadata(tmp_path / "out.parquet").metadata
    assert notes[b"gleis.digest"].decode() == binary.package.digest
    assert notes[b"gleis.version"] == b"7"
    assert notes[b"gleis.input"].decode() == done.input
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]
    assert pq.read_schema(tmp_path / "out.parquet").field("model_digest").type == pa.string()


@pytest.mark.parametrize(
    ("keep", "names"),
    [(None, ["flight"]), ((), []), (("gate", "hour"), ["gate", "hour"])],
)
def test_columns_are_carried_over(tmp_path, binary, keep, names):
    source = as_parquet(flights(), tmp_path)
    score_file(source, tmp_path / "out.parquet", binary, replace(keep=keep))
    answers = ["prediction", "score", "flags", "fallback", "model_version", "model_digest"]
    assert pl.read_parquet_schema(tmp_path / "out.parquet").names() == [*names, *answers]


def test_a_column_that_is_not_there_cannot_be_kept(tmp_path, binary):
    with pytest.raises(ConfigError, match=r"does not have: 'gat'.*flight, gate"):
        score_file(
            as_parquet(flights(), tmp_path),
            tmp_path / "out.parquet",
            binary,
            replace(keep=("gat",)),
        )


def test_a_column_with_the_name_of_an_answer_cannot_be_kept(tmp_path, binary):
    source = as_parquet(flights().with_columns(score=1), tmp_path)
    with pytest.raises(ConfigError, match="name of an answer: 'score'"):
        score_file(source, tmp_path / "out.parquet", binary, replace(keep="all"))


def test_parts_go_into_a_folder(tmp_path, binary):
    source = as_parquet(flights(), tmp_path)
    done = score_file(source, tmp_path / "out", binary, replace(parts=True))
    files = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in files] == [f"part-{at:05d}.parquet" for at in range(13)]
    assert pl.read_parquet(files)["flight"].to_list() == list(range(1234))
    whole = b"".join(path.read_bytes() for path in files)
    assert done.sha256 == hashlib.sha256(whole).hexdigest()


BAD = {5: ("distance", None), 150: ("hour", None), 151: ("carrier", None), 1233: ("hour", None)}


def with_bad_rows():
    rows = flights().to_dicts()
    for at, (name, value) in BAD.items():
        rows[at][name] = value
    rows[600]["distance"] = float("inf")
    return pl.DataFrame(rows)


@pytest.mark.parametrize("write", FORMATS[:4])
def test_a_bad_row_stops_the_job_and_is_named(tmp_path, binary, write):
    with pytest.raises(InvalidRowError) as told:
        score_file(write(with_bad_rows(), tmp_path), tmp_path / "out.parquet", binary, SMALL)
    error = told.value
    assert error.what == "row 5 (counted from 0): distance must be a finite number in miles"
    assert "quarantine" in error.remedy
    assert error.field == "distance"
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("write", FORMATS[:4])
def test_bad_rows_are_set_apart_with_their_reason(tmp_path, binary, write):
    done = score_file(
        write(with_bad_rows(), tmp_path),
        tmp_path / "out.parquet",
        binary,
        replace(on_bad="quarantine"),
    )
    places = sorted([*BAD, 600])
    assert (done.rows, done.bad) == (1229, 5)
    assert done.quarantine is not None
    bad = pl.read_parquet(done.quarantine)
    assert bad["row"].to_list() == places
    assert [str(place) for place in places] == [str(flight) for flight in bad["flight"]]
    for place, reason in zip(places, bad["reason"], strict=True):
        name = BAD.get(place, ("distance", None))[0]
        assert reason.startswith(f"{name} must be a")
    out = pl.read_parquet(tmp_path / "out.parquet")
    left = flights().filter(~pl.col("flight").is_in(places))
    np.testing.assert_array_equal(out["score"], binary.predict(left))


def test_a_quarantine_without_bad_rows_leaves_no_file(tmp_path, binary):
    source = as_parquet(flights(), tmp_path)
    done = score_file(source, tmp_path / "out.parquet", binary, replace(on_bad="quarantine"))
    assert done.quarantine is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def test_only_bad_rows_make_an_empty_table(tmp_path, binary):
    source = as_parquet(
        flights(150).with_columns(pl.lit(None, pl.Float64).alias("distance")), tmp_path
    )
    done = score_file(source, tmp_path / "out.parquet", binary, replace(on_bad="quarantine"))
    assert (done.rows, done.bad) == (0, 150)
    assert pl.read_parquet(tmp_path / "out.parquet").height == 0


def test_text_of_a_csv_means_what_it_says(tmp_path, binary):
    (tmp_path / "in.csv").write_text(
        "distance,temp,hour,carrier,note\n"
        '800,NA,17.0,UA,"two\nlines"\n'
        " 900.5 ,nan,3,AA,\n"
        "far,1,3,AA,\n"
        "800,1,half,AA,\n"
        "800,1,3,,\n"
    )
    options = replace(on_bad="quarantine", keep="all")
    done = score_file(tmp_path / "in.csv", tmp_path / "out.parquet", binary, options)
    assert (done.rows, done.bad) == (2, 3)
    out = pl.read_parquet(tmp_path / "out.parquet")
    assert out["hour"].to_list() == [17, 3]
    assert out["temp"].to_list() == [None, None]
    assert out["note"].to_list() == ["two\nlines", None]
    reasons = pl.read_parquet(done.quarantine)["reason"].to_list()
    assert [reason.split(". ")[0] for reason in reasons] == [
        "distance must be a finite number in miles: 'far'",
        "hour must be a whole number of at most 64 bits: 'half'",
        "carrier must be a text: None",
    ]


@pytest.mark.parametrize("write", FORMATS)
def test_an_empty_table_gives_an_empty_one(tmp_path, scorer, write):
    if write is as_folder:
        pytest.skip("a folder without files is no table")
    score_file(write(flights().clear(), tmp_path), tmp_path / "out.parquet", scorer, SMALL)
    full = as_parquet(flights(), tmp_path)
    score_file(full, tmp_path / "full.parquet", scorer, SMALL)
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.height == 0
    if write is as_parquet:
        assert found.schema == pl.read_parquet_schema(tmp_path / "full.parquet")


def test_a_missing_feature_is_refused_before_anything_is_written(tmp_path, binary):
    source = as_parquet(flights().drop("hour"), tmp_path)
    with pytest.raises(InvalidRowError, match="hour is missing"):
        score_file(source, tmp_path / "out.parquet", binary, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_files_of_a_folder_must_be_alike(tmp_path, binary):
    source = as_folder(flights(), tmp_path)
    flights(10).drop("gate").write_parquet(source / "99999.parquet")
    with pytest.raises(DataError, match=r"99999\.parquet has other columns"):
        score_file(source, tmp_path / "out.parquet", binary, SMALL)


@pytest.mark.parametrize("name", ["in.parquet", "in.csv", "in.arrow"])
def test_a_file_that_is_none_is_an_error(tmp_path, binary, name):
    (tmp_path / name).write_bytes(b"\x00\xffnothing\x00" * 9)
    with pytest.raises((DataError, InvalidRowError)):
        score_file(tmp_path / name, tmp_path / "out.parquet", binary, SMALL)
    with pytest.raises(DataError, match="no such file"):
        score_file(tmp_path / "none", tmp_path / "out.parquet", binary, SMALL)


def test_a_csv_with_a_broken_line_is_an_error(tmp_path, binary):
    source = as_csv(flights(), tmp_path)
    source.write_text(source.read_text() + "1,2\n")
    with pytest.raises(DataError, match="read"):
        score_file(source, tmp_path / "out.parquet", binary, SMALL)


def test_the_output_is_never_part_of_the_input(tmp_path, binary):
    source = as_folder(flights(), tmp_path)
    for target in (source, source / "out.parquet"):
        with pytest.raises(ConfigError, match="part of the input"):
            score_file(source, target, binary, SMALL)
    with pytest.raises(StoreError, match="not there"):
        score_file(source, tmp_path / "a" / "out.parquet", binary, SMALL)


def test_nobodys_file_is_replaced_unasked(tmp_path, binary):
    source = as_parquet(flights(), tmp_path)
    (tmp_path / "out.parquet").write_text("mine")
    with pytest.raises(BlockedError, match="there already"):
        score_file(source, tmp_path / "out.parquet", binary, SMALL)
    assert (tmp_path / "out.parquet").read_text() == "mine"
    score_file(source, tmp_path / "out.parquet", binary, replace(fresh=True))
    assert pl.read_parquet(tmp_path / "out.parquet").height == 1234


def stop_after(parts):
    """Raise once so many parts are written."""
    seen = []

    def on_part(number, part):
        if len(seen) == parts:
            raise KeyboardInterrupt
        seen.append(number)

    return on_part


def pass_on(number, part):
    """Take every part."""


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("write", FORMATS)
def test_a_stopped_job_goes_on(tmp_path, binary, write, parts):
    source, target = write(with_bad_rows(), tmp_path), tmp_path / "out"
    options = replace(on_bad="quarantine", parts=parts)
    whole = score_file(source, tmp_path / "whole", binary, options, on_part=pass_on)
    for after in (3, 5):
        with pytest.raises(KeyboardInterrupt):
            score_file(source, target, binary, options, on_part=stop_after(after))
    numbers = []
    done = score_file(
        source, target, binary, options, on_part=lambda number, part: numbers.append(number)
    )
    assert numbers == [8, 9, 10, 11, 12]
    assert (done.resumed_at, done.rows, done.bad) == (800, whole.rows, whole.bad)
    assert (done.sha256, done.flags) == (whole.sha256, whole.flags)
    assert pl.read_parquet(done.quarantine).equals(pl.read_parquet(whole.quarantine))


@pytest.mark.parametrize("change", ["input", "package", "options"])
def test_another_job_does_not_mix_in(tmp_path, packages, binary, change):
    source, target = as_parquet(flights(), tmp_path), tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        score_file(source, target, binary, SMALL, on_part=stop_after(3))
    if change == "input":
        as_parquet(flights(seed=1), tmp_path)
    scorer = gleis.load(packages["rule"].path) if change == "package" else binary
    options = replace(keep=("gate",)) if change == "options" else SMALL
    with pytest.raises(BlockedError, match=r"another job.*fresh"):
        score_file(source, target, scorer, options, on_part=pass_on)
    fresh = msgspec.structs.replace(options, fresh=True)
    assert score_file(source, target, scorer, fresh, on_part=pass_on).resumed_at == 0


def test_two_at_once_do_not_mix(tmp_path, binary):
    source, target = as_parquet(flights(), tmp_path), tmp_path / "out.parquet"

    def meanwhile(number, part):
        with pytest.raises(StoreError, match="Another process is scoring"):
            score_file(source, target, binary, SMALL, on_part=pass_on)

    score_file(source, target, binary, SMALL, on_part=meanwhile)


def test_progress_is_told(tmp_path, binary):
    told = []
    source = as_parquet(flights(), tmp_path)
    score_file(
        source,
        tmp_path / "out.parquet",
        binary,
        SMALL,
        on_progress=lambda rows, total: told.append((rows, total)),
    )
    assert told == [(min(at, 1234), 1234) for at in range(100, 1400, 100)]


class _Failing:
    def predict(self, columns):
        raise RuntimeError("no")


def test_the_baseline_answers_where_the_model_fails(tmp_path, packages):
    scorer = gleis.load(packages["rule"].path)
    object.__setattr__(scorer.package, "model", _Failing())
    source = as_parquet(flights(), tmp_path)
    done = score_file(source, tmp_path / "out.parquet", scorer, SMALL)
    assert done.fallbacks == 1234
    assert pl.read_parquet(tmp_path / "out.parquet")["fallback"].all()
    object.__setattr__(scorer.package, "baseline", _Failing())
    with pytest.raises(UnavailableError):
        score_file(source, tmp_path / "other.parquet", scorer, SMALL)


KILLED = """
import sys
from itertools import chain
from pathlib import Path
import gleis
from gleis.serving.batch.scoring import Options, score_file
options = Options(rows_per_part=500, on_bad="quarantine")
scorer = gleis.load(sys.argv[1])
print("ready", flush=True)
print(score_file(Path(sys.argv[2]), Path(sys.argv[3]), scorer, options).sha256)
"""


@pytest.mark.slow
def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(tmp_path, packages, monkeypatch):
    frame = pl.concat([with_bad_rows()] * 120)
    source = as_parquet(frame, tmp_path)
    binary = gleis.load(packages["binary"].path)
    options = Options(rows_per_part=500, on_bad="quarantine")
    whole = score_file(source, tmp_path / "whole.parquet", binary, options)
    command = [sys.executable, "-c", KILLED, str(packages["binary"].path), str(source)]
    target = tmp_path / "out.parquet"
    draw, kills, said = np.random.default_rng(0), 0, ""
    while True:
        process = subprocess.Popen(
            [*command, str(target)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        if kills < 6:
            time.sleep(draw.uniform(0.0, 0.5))
            process.kill()
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            said = out
            break
        assert process.returncode == -9, err
        kills += 1
    assert said.strip() == whole.sha256
    assert kills, "killed at least once"
    assert Path(whole.quarantine).read_bytes() == (tmp_path / "out.bad.parquet").read_bytes()


MEMORY = """
import resource, sys
from itertools import chain
from pathlib import Path
import gleis
from gleis.serving.batch.scoring import Options, score_file
scorer = gleis.load(sys.argv[1])
score_file(Path(sys.argv[2]), Path(sys.argv[3]), scorer, Options(keep="all"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path, packages):
    peaks = []
    for rows in (500_000, 5_000_000):
        source = tmp_path / f"{rows}.parquet"
        frame = flights(100_000)
        with pq.ParquetWriter(source, frame.to_arrow().schema) as writer:
            writer.write_table(pa.concat_tables([frame.to_arrow()] * (rows // 100_000)), rows)
        command = [sys.executable, "-c", MEMORY, str(packages["binary"].path), str(source)]
        target = str(tmp_path / f"{rows}.out.parquet")
        said = subprocess.run([*command, target], check=True, capture_output=True, text=True)
        peaks.append(int(said.stdout))
    assert peaks[1] <= 1.25 * peaks[0], peaks
