from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from commands import gleis
from gleis.cli.app import app
from trained_projects import copied

ROW = {"sepal_length": 5.0, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}
STRANGE = ROW | {"petal_width": 9.0}


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    """An iris project whose log these tests share."""
    folder = copied(tmp_path_factory.mktemp("reviewing") / "iris")
    with (folder / "gleis.toml").open("a") as file:
        file.write('\n[serve]\noutliers = "review"\n')
    return folder


def asked(folder, *rows):
    answers = gleis(folder, "predict", json.dumps(rows), "--json").json["predictions"]
    return [answer["prediction_id"] for answer in answers]


def test_what_waits_is_listed_and_labelled(iris):
    (name,) = asked(iris, STRANGE | {"plant": 201})
    said = gleis(iris, "review")
    assert said.code == 0, said.err
    assert said.out.startswith("1 answer waits for a review")
    assert f"{name}  row 201, answered" in said.out
    strange = next(line for line in said.out.splitlines() if "petal_width" in line)
    assert strange.split()[:2] == ["petal_width", "9"]
    assert strange.rstrip().endswith("given its other numbers")
    said = gleis(iris, "review", name, "--label", "virginica", "--note", "seen")
    assert f"{name} is virginica, says " in said.out
    assert "Its row has this label in the training data" in said.out
    assert gleis(iris, "review").out == "Nothing waits for a review.\n"


def test_json(iris):
    (name,) = asked(iris, STRANGE)
    found = gleis(iris, "review", "--json").json
    assert found["waiting"] == 1
    (one,) = found["answers"]
    assert one["prediction_id"] == name
    assert one["outlier"] > one["threshold"]
    assert one["why"][0]["feature"] == "petal_width"
    done = gleis(iris, "review", name, "--dismiss", "--note", "a test", "--json").json
    assert done["review"]["note"] == "a test"
    assert done["joins_training"] is False
    assert "label" not in done["review"]


def test_one_after_the_other(iris):
    names = asked(iris, *[STRANGE | {"petal_width": 9.0 + k} for k in range(4)])
    answers = ["tulip", "", "versicolor", "by eye", "skip", "dismiss", "", "quit"]
    said = CliRunner().invoke(
        app, ["review", "--ask", "-p", str(iris)], input="\n".join(answers) + "\n"
    )
    assert said.exit_code == 0, said.output
    assert "4 to review" in said.output
    assert "one of setosa, versicolor, virginica" in said.output + said.stderr
    left = gleis(iris, "review", "--json").json
    assert [one["prediction_id"] for one in left["answers"]] == [names[1], names[3]]
    for name in (names[1], names[3]):
        gleis(iris, "review", name, "--dismiss")


def test_one_is_shown_whole(iris):
    (name,) = asked(iris, ROW)
    said = gleis(iris, "review", name)
    assert said.out.startswith(f"{name}  answered ")
    assert all(feature in said.out for feature in ROW)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["99-0-5ca1ab1e", "--label", "setosa"], 6, "no such prediction"),
        (["--label", "setosa"], 2, "names no prediction"),
        (["--dismiss"], 2, "names no prediction"),
        (["1-0-5ca1ab1e", "--correct"], 2, "names no label"),
        (["1-0-5ca1ab1e", "--label", "setosa", "--dismiss"], 2, "cannot both be"),
    ],
)
def test_what_makes_no_sense_is_told(iris, arguments, code, message):
    said = gleis(iris, "review", *arguments)
    assert said.code == code
    assert message in said.err


def test_without_reviews_it_says_how_to_have_them(tmp_path):
    said = gleis(copied(tmp_path / "iris"), "review")
    assert said.out.splitlines() == [
        "Nothing waits for a review.",
        '  Outliers wait here with serve.outliers = "review"; now: "flag".',
    ]


def test_a_dataset_version_says_what_reviews_did_to_it(iris):
    (name,) = asked(iris, STRANGE | {"plant": 1})
    gleis(iris, "review", name, "--label", "virginica")
    assert gleis(iris, "data", "add").code == 0
    told = "reviews  People labelled 1 row in reviews: 1 that the source labels otherwise."
    assert told in gleis(iris, "data", "show").out
