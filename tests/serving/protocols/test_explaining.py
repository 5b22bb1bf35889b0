from __future__ import annotations

import httpx
import pytest
from small_packages import BINARY, MULTICLASS, REGRESSION, ROW, build

from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.rule import Cell, ColumnRule, TableRule

TABLE = TableRule(
    columns=("hour", "carrier"),
    cells=(Cell((17, "UA"), 0.9), Cell((17, "AA"), 0.4), Cell((3, "UA"), 0.1)),
    default=0.25,
)
CLASSES = TableRule(
    columns=("carrier",), cells=(Cell(("UA",), (0.1, 0.2, 0.7)),), default=(0.5, 0.3, 0.2)
)
COLUMN = ColumnRule(column="distance", slope=0.01, intercept=2.0, default=30.0)


def explain(client, content, status=200):
    reply = client.post("/explain", json=content)
    assert reply.status_code == status, reply.text
    return reply.json()


def serving(service, folder, contract, rule):
    service.promote(build(folder, contract, run="ruled", rule=rule), "first")
    return httpx.Client(base_url=service.url)


def total(answer):
    return answer["base_value"] + sum(answer["contributions"].values())


def test_a_table_is_explained_by_its_columns(empty_service, tmp_path):
    with serving(empty_service, tmp_path, BINARY, TABLE) as client:
        answer = explain(client, {"row": ROW, "method": "shap"})
        assert answer["score"] == pytest.approx(0.9)
        assert answer["link"] == "identity"
        assert answer["explained"] == "1"
        assert answer["value"] == pytest.approx(total(answer), abs=1e-12)
        assert total(answer) == pytest.approx(answer["score"], abs=1e-9)
        parts = answer["contributions"]
        assert list(parts) == list(BINARY.names)
        assert parts["distance"] == parts["temp"] == 0.0
        assert parts["hour"] > 0
        assert parts["carrier"] > 0
        model = empty_service.live.current.package.model
        examples = empty_service.live.current.package.examples.features
        assert answer["base_value"] == pytest.approx(model.predict(examples).mean(), abs=1e-12)
    assert empty_service.home.log.counts().predictions == 0


def test_a_column_is_explained_by_itself(empty_service, tmp_path):
    with serving(empty_service, tmp_path, REGRESSION, COLUMN) as client:
        answer = explain(client, {"row": ROW | {"distance": 4000.0}})
        assert answer["score"] == pytest.approx(42.0)
        assert answer["explained"] is None
        parts = answer["contributions"]
        assert parts["distance"] == pytest.approx(42.0 - answer["base_value"], abs=1e-12)
        assert parts["hour"] == parts["carrier"] == parts["temp"] == 0.0


def test_the_likeliest_class_or_the_one_asked_for(empty_service, tmp_path):
    with serving(empty_service, tmp_path, MULTICLASS, CLASSES) as client:
        answer = explain(client, {"row": ROW})
        assert answer["explained"] == answer["prediction"] == "on time"
        assert total(answer) == pytest.approx(0.7, abs=1e-9)
        other = explain(client, {"row": ROW, "class": "early"})
        assert other["explained"] == "early"
        assert total(other) == pytest.approx(0.1, abs=1e-9)
        wrong = explain(client, {"row": ROW, "class": "later"}, 422)["error"]
        assert wrong["field"] == "class"
        assert "early, late, on time" in wrong["remedy"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"row": 3}, 400),
        ({"row": ROW, "method": "lime"}, 400),
        ({"row": ROW, "colour": "red"}, 400),
        ({"row": ROW | {"hour": "late"}}, 422),
        ({"row": {}}, 422),
        ({"row": ROW, "class": "0"}, 422),
    ],
)
def test_bad_questions(client, content, status):
    assert explain(client, content, status)["error"]["remedy"]


def test_a_model_that_is_not_compiled_says_what_to_do(empty_service, packages, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    empty_service.promote(packages["binary"], "first")
    assert not isinstance(empty_service.live.current.package.model, CompiledModel)
    with httpx.Client(base_url=empty_service.url) as client:
        error = explain(client, {"row": ROW}, 422)["error"]
        assert "not compiled" in error["what"]
        assert "gleis[explain]" in error["remedy"]


def test_a_new_champion_is_explained(client, service, tmp_path):
    assert explain(client, {"row": ROW})["version"] == 1
    service.promote(build(tmp_path, BINARY, run="again", rule=TABLE), "second")
    answer = explain(client, {"row": ROW})
    assert (answer["version"], answer["score"]) == (2, pytest.approx(0.9))


def test_without_a_model(empty_service):
    with httpx.Client(base_url=empty_service.url) as client:
        assert explain(client, {"row": ROW}, 503)
