from __future__ import annotations

import json

import polars as pl
import pytest

from commands import gleis
from trained_projects import copied

ROW = {"sepal_length": 5.0, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    """An iris project whose log these tests share."""
    return copied(tmp_path_factory.mktemp("asking") / "iris")


def ask(folder, **changes):
    answer = gleis(folder, "predict", json.dumps(ROW | changes), "--json").json
    return answer["predictions"][0]


def test_one_row(iris):
    said = gleis(iris, "predict", json.dumps(ROW))
    assert said.code == 0, said.err
    header, row = said.out.strip().splitlines()
    assert header.split() == ["prediction_id", "prediction", "model", "version", "fallback"]
    assert row.split()[1:] == ["versicolor", "iris", "2", "no"]


def test_json_has_all_of_the_answer(iris):
    answer = ask(iris)
    assert answer["prediction"] == "versicolor"
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert (answer["version"], answer["fallback"], answer["flags"]) == (2, False, [])


def test_every_answer_is_in_the_log(iris):
    before = gleis(iris, "status", "--json").json["log"]["predictions"]
    gleis(iris, "predict", json.dumps([ROW, ROW, ROW]))
    assert gleis(iris, "status", "--json").json["log"]["predictions"] == before + 3


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_rows_from_a_file(iris, suffix):
    rows = [
        ROW | {"plant": n, "petal_length": float(n), "petal_width": 0.4 * n} for n in range(1, 7)
    ]
    path = iris / f"rows.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps({"rows": rows}))
    elif suffix == "csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        pl.DataFrame(rows).write_parquet(path)
    found = gleis(iris, "predict", path.name, "--json").json["predictions"]
    kinds = [answer["prediction"] for answer in found]
    assert kinds[0] == "setosa"
    assert kinds[-1] == "virginica"
    assert len(kinds) == 6


def test_many_rows_are_cut_and_say_so(iris):
    said = gleis(iris, "predict", json.dumps([ROW] * 60))
    assert "... and 10 more; --json prints all." in said.out


def test_what_is_unusual_is_flagged(iris):
    said = gleis(iris, "predict", json.dumps([ROW, ROW | {"petal_width": 99.0}]))
    header, usual, unusual = said.out.strip().splitlines()
    assert header.split()[-1] == "flags"
    assert "out of range" not in usual
    assert unusual.endswith("petal_width: out of range, outlier")


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("nowhere.csv", "'nowhere.csv'"),
        ("", "''"),
        ("3", "'3'"),
        ('{"petal_length": ', "truncated"),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_what_is_no_row_is_refused_with_what_to_write(iris, source, named):
    said = gleis(iris, "predict", source)
    assert said.code in (2, 9)
    assert named in said.err
    assert "Write one JSON object" in said.err


def test_a_broken_table(iris):
    (iris / "broken.parquet").write_bytes(b"PAR1 but not really")
    said = gleis(iris, "predict", "broken.parquet")
    assert said.code == 4
    assert "broken.parquet" in said.err


def test_a_label_joins_its_prediction(iris):
    said = gleis(iris, "label", ask(iris)["prediction_id"], "versicolor")
    assert said.code == 0
    assert said.out == "1 label kept.\n"


def test_labels_from_a_file_by_prediction_or_by_row(iris):
    one, _ = ask(iris)["prediction_id"], ask(iris, plant=77)
    labels = [{"prediction_id": one, "label": "setosa"}, {"id": 77, "label": "setosa"}]
    (iris / "labels.json").write_text(json.dumps({"labels": labels}))
    receipt = gleis(iris, "label", "--file", "labels.json", "--json").json
    assert receipt == {"accepted": 2, "unknown": [], "changed": []}
    (iris / "labels.csv").write_text("id,label\n77,setosa\n")
    assert gleis(iris, "label", "--file", "labels.csv", "--json").json["accepted"] == 1


def test_a_label_without_a_value(iris):
    said = gleis(iris, "label", "1-0-00000000")
    assert said.code == 2
    assert "gleis label PREDICTION_ID VALUE" in said.err


def test_a_label_that_is_no_class(iris):
    said = gleis(iris, "label", ask(iris)["prediction_id"], "tulip")
    assert said.code == 9
    assert "'tulip'" in said.err
    assert "setosa, versicolor, virginica" in said.err
