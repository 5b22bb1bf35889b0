from __future__ import annotations

import json
import re

import msgspec
import pytest

from commands import gleis
from gleis.store.log.sqlite_log import SqlitePredictionLog
from trained_projects import copied, trained

ROW = {"sepal_length": 5.9, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A project that has answered a row, and then let its heuristic take over."""
    folder = copied(tmp_path_factory.mktemp("explain") / "iris")
    said = gleis(folder, "predict", json.dumps(ROW), "--json")
    prediction_id = said.json["predictions"][0]["prediction_id"]
    assert gleis(folder, "promote", "v1", "--reason", "test").code == 0
    return folder, prediction_id, said.json["predictions"][0]


@pytest.mark.parametrize("method", ["shap", "anchor", "counterfactual"])
def test_a_logged_answer_is_explained_by_the_version_that_gave_it(answered, method):
    folder, prediction_id, answer = answered
    found = gleis(folder, "explain", prediction_id, "--method", method, "--json").json
    assert (found["version"], found["method"]) == (2, method)
    assert found["explained"]["prediction"] == answer["prediction"]
    of = found["explained"]["of"]
    assert found["explained"]["score"] == pytest.approx(answer["probabilities"][of], abs=1e-12)
    assert all(check["holds"] for check in found["fidelity"])
    assert answer["prediction"] in found["words"]


def test_it_is_told_in_words_and_a_table(answered):
    folder, prediction_id, _ = answered
    said = gleis(folder, "explain", prediction_id)
    assert "versicolor" in said.out
    assert re.search(r"petal_length +4\.2 +-?0\.\d{4}", said.out)
    assert re.search(r"additivity gap: .* asked <= 1e-09", said.out)
    german = gleis(folder, "explain", prediction_id, "--language", "de").out
    assert "Das Ergebnis war" in german
    assert "Beitrag" in german
    assert "verlangt <= 1e-09" in german


def test_an_answer_that_is_no_longer_given_is_not_explained(answered, monkeypatch):
    folder, prediction_id, _ = answered
    real = SqlitePredictionLog.find
    monkeypatch.setattr(
        SqlitePredictionLog,
        "find",
        lambda log, key: msgspec.structs.replace(real(log, key), score=[0.2, 0.2, 0.6]),
    )
    said = gleis(folder, "explain", prediction_id)
    assert said.code == 9
    assert "no longer answers this row as it did" in said.err


@pytest.mark.parametrize("method", ["shap", "lime", "anchor", "counterfactual"])
def test_a_row_is_explained_without_a_record(answered, method):
    folder, _, _ = answered
    before = gleis(folder, "status", "--json").json
    row = ["--row", json.dumps(ROW), "--version", "v2"]
    said = gleis(folder, "explain", *row, "--method", method, "--json")
    assert said.json["prediction_id"] is None
    assert said.json["version"] == 2
    assert gleis(folder, "status", "--json").json == before


def test_a_rule_is_explained_too(answered):
    folder, _, _ = answered
    found = gleis(folder, "explain", "--row", json.dumps(ROW), "--json").json
    assert found["version"] == 1
    assert found["link"] == "identity"


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "pdp", "--feature", "petal_length", "--of", "virginica"],
        ["--method", "pdp", "--feature", "petal_length", "--with", "beside=petal_width"],
        ["--method", "ice", "--feature", "petal_length", "--with", "lines=5"],
        ["--method", "ale", "--feature", "petal_width", "--rows", "60"],
        ["--method", "surrogate", "--of", "setosa"],
        ["--method", "permutation"],
        [],
    ],
)
def test_the_model_is_explained(options):
    said = gleis(trained(), "explain", "--model", *options, "--json")
    assert said.code == 0, said.err
    found = said.json
    assert found["method"] == (options[1] if options else "shap_summary")
    assert found["words"]
    if "--rows" in options:
        assert found["rows"] == 60


def test_a_curve_of_two_features_is_a_table_of_both():
    options = ["--method", "pdp", "--feature", "petal_length", "--with", "beside=petal_width"]
    said = gleis(trained(), "explain", "--model", *options, "--with", "grid=3")
    assert said.code == 0, said.err
    assert re.search(r"petal_length . petal_width( +[\d.]+){3}", said.out)


def test_a_page_needs_no_network(tmp_path):
    page = tmp_path / "sub" / "curve.html"
    options = ["--method", "pdp", "--feature", "petal_length", "--language", "de"]
    said = gleis(trained(), "explain", "--model", *options, "--html", str(page))
    assert said.code == 0, said.err
    text = page.read_text(encoding="utf-8")
    assert '<html lang="de">' in text
    assert "petal_length" in text
    assert 'src="http' not in text
    assert str(page) in said.out


@pytest.mark.parametrize(
    ("arguments", "match", "code"),
    [
        ([], "wants one of PREDICTION_ID", 2),
        (["1-0-aaaaaaaa", "--model"], "wants one of PREDICTION_ID", 2),
        (["1-0-aaaaaaaa"], "holds no such prediction", 6),
        (["nonsense"], "holds no such prediction", 6),
        (["--row", "[1]"], "--row is no row", 9),
        (["--row", '{"petal_length": 3}'], "sepal_length", 9),
        (["--model", "--method", "tarot"], "no such method", 9),
        (["--model", "--method", "pdp"], "pdp needs feature", 9),
        (["--model", "--method", "pdp", "--feature", "age"], "no such feature", 9),
        (["--model", "--with", "colour=red"], "no option colour", 9),
        (["--model", "--version", "v99"], "v99", 6),
        (["--model", "--language", "fr"], "no words in this language", 2),
    ],
)
def test_bad_questions(arguments, match, code):
    said = gleis(trained(), "explain", *arguments)
    assert said.code == code, said.err
    assert match in said.err


def test_an_answer_whose_row_was_erased_is_not_explained(tmp_path):
    folder = copied(tmp_path / "iris")
    said = gleis(folder, "predict", json.dumps(ROW), "--json")
    name = said.json["predictions"][0]["prediction_id"]
    log = SqlitePredictionLog(folder / ".gleis" / "predictions.db")
    assert log.erase([], [name]).predictions == 1
    log.close()
    said = gleis(folder, "explain", name)
    assert said.code == 9
    assert "was erased" in said.err
