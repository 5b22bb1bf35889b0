from __future__ import annotations

import threading

import httpx
import pytest
from small_packages import BINARY, MULTICLASS, REGRESSION, ROW, build, compiled_package

from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.rule import Cell, ColumnRule, TableRule
from gleis.serving.deadline import Deadline
from gleis.serving.protocols import explaining

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
        ({"row": ROW, "method": "tarot"}, 400),
        ({"row": ROW, "method": "counterfactual", "count": 99}, 400),
        ({"row": ROW, "method": "anchor", "precision": "all"}, 400),
        ({"row": ROW, "method": "shap", "count": 3}, 422),
        ({"row": ROW, "method": "counterfactual", "to": "7"}, 422),
        ({"row": ROW, "colour": "red"}, 400),
        ({"row": ROW | {"hour": "late"}}, 422),
        ({"row": {}}, 422),
        ({"row": ROW, "class": "0"}, 422),
    ],
)
def test_bad_questions(client, content, status):
    assert explain(client, content, status)["error"]["remedy"]


def test_a_model_that_is_not_compiled_says_what_to_do(empty_service, packages):
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


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A package whose model is compiled, with a background of its own."""
    return compiled_package(tmp_path_factory.mktemp("compiled"), immutable=("carrier",))


@pytest.fixture
def explained(empty_service, compiled):
    empty_service.promote(compiled, "first")
    with httpx.Client(base_url=empty_service.url) as client:
        yield client


def test_every_local_method_says_who_answered_and_how_far_it_holds(explained):
    shap = explain(explained, {"row": ROW})
    for method in ("shap", "lime", "anchor", "counterfactual"):
        answer = explain(explained, {"row": ROW, "method": method})
        for same in ("prediction", "score", "model", "version", "fallback", "flags", "explained"):
            assert answer[same] == shap[same], (method, same)
        assert answer["method"] == method
        assert all(check["holds"] for check in answer["fidelity"])
        assert answer["fidelity"]


def test_counterfactuals_touch_what_the_package_lets_them(explained):
    other = {0: "1", 1: "0"}[explain(explained, {"row": ROW})["prediction"]]
    answer = explain(explained, {"row": ROW, "method": "counterfactual", "to": other, "count": 2})
    assert answer["immutable"] == ["carrier"]
    assert 1 <= len(answer["found"]) <= 2
    for found in answer["found"]:
        assert "carrier" not in found["changes"]
        changed = ROW | {name: after for name, (_, after) in found["changes"].items()}
        said = explained.post("/predict", json=changed).json()
        assert str(said["prediction"]) == other
        assert said["score"] == pytest.approx(found["score"], abs=1e-12)


@pytest.mark.parametrize(
    "question",
    [
        {"method": "pdp", "feature": "hour", "grid": 4},
        {"method": "pdp", "feature": "hour", "beside": "distance", "grid": 3},
        {"method": "ice", "feature": "hour", "lines": 3},
        {"method": "ale", "feature": "carrier"},
        {"method": "surrogate", "depth": 2},
        {"method": "shap_summary", "class": "1"},
    ],
)
def test_the_model_is_explained_over_its_background(explained, question):
    posted = explained.post("/explain/model", json=question)
    assert posted.status_code == 200, posted.text
    answer = posted.json()
    assert (answer["method"], answer["version"]) == (question["method"], 1)
    assert explained.get("/explain/model", params=question).json() == answer
    assert answer["rows"] > 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("method=tarot", 400),
        ("method=permutation", 400),
        ("method=pdp&feature=hour&grid=100000", 400),
        ("method=pdp&feature=hour&grid=many", 400),
        ("method=pdp&feature=hour&colour=red", 400),
        ("method=pdp", 422),
        ("method=pdp&feature=age", 422),
        ("method=surrogate&feature=hour", 422),
        ("method=pdp&feature=hour&class=0", 422),
    ],
)
def test_bad_questions_about_the_model(explained, query, status):
    reply = explained.get(f"/explain/model?{query}")
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["remedy"]


def test_explanations_leave_room_for_predictions(explained, empty_service, monkeypatch):
    """Those beyond the limit are told to come back; one that takes too long is left."""
    release, begun = threading.Event(), threading.Event()

    def wait(*_):
        begun.set()
        release.wait(20)
        return {}

    monkeypatch.setattr("gleis.serving.explanations.Explainer.explain", wait)
    deadline = Deadline(0.3, most=1)
    plane = empty_service.app._plane
    routes = {route.path: route for route in explaining.routes(plane, deadline)}
    monkeypatch.setitem(empty_service.app._routes._fixed, "/explain", routes["/explain"])
    try:
        late = explained.post("/explain", json={"row": ROW})
        assert begun.is_set()
        assert late.status_code == 503
        assert "longer than 0.3 s" in late.json()["error"]["what"]
        assert late.headers["retry-after"] == "1"
        busy = explained.post("/explain", json={"row": ROW})
        assert busy.status_code == 503
        assert "at once" in busy.json()["error"]["what"]
        assert busy.headers["retry-after"] == "1"
        assert explained.post("/predict", json=ROW).status_code == 200
    finally:
        release.set()
