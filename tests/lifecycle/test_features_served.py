"""Features looked up by a service: over HTTP, from every kind of store, and when it is down."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import httpx
import msgspec
import pytest

from featured_projects import START, copied_trips, weather
from gleis.config.settings import FeatureSettings
from gleis.contracts.clock import SimulatedClock
from gleis.lifecycle.project import Project
from gleis.lifecycle.service_process import make_app
from gleis.serving.run import Server, bind
from valkey_servers import valkey_server

NOW = START + timedelta(hours=17 * 24)
WIND = weather(range(17 * 24)).filter(place="A")["wind"][-1]
ROW = {"trip": 1, "station": "A", "distance": 4.0}


@contextmanager
def served(folder, **features):
    settings = msgspec.structs.replace(
        Project.open(folder).settings,
        features=FeatureSettings(exclude=("station",), **features),
    )
    project = Project(folder, settings, SimulatedClock(NOW))
    project.data.features.materialise()
    app = make_app(settings, project.home, project.clock, folder)
    place, started = [], threading.Event()
    server = Server(app, bind("127.0.0.1", 0), lambda *at: (place.extend(at), started.set()))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(10)
    try:
        with httpx.Client(base_url=f"http://{place[0]}:{place[1]}") as client:
            client.project = project
            yield client
    finally:
        server.stop()
        thread.join(20)
        project.home.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with served(copied_trips(tmp_path_factory.mktemp("served") / "trips")) as client:
        yield client


def logged(client):
    return list(client.project.home.log.read())[-1].batch


def test_a_request_holds_the_entity_only(client):
    answer = client.post("/predict", json=ROW).json()
    assert (answer["flags"], answer["fallback"]) == ([], False)
    batch = logged(client)
    assert batch.features["wind"] == [WIND]
    assert batch.features["wind_km"] == [WIND * 4.0]
    assert batch.entities == ["1"]
    in_full = {"distance": 4.0} | {
        name: batch.features[name][0] for name in ("wind", "temp", "wind_km", "storm")
    }
    assert client.post("/predict", json=in_full).json()["score"] == answer["score"]


def test_many_rows_each_say_what_is_wrong(client):
    rows = [
        ROW,
        {**ROW, "station": "C"},
        {**ROW, "at": "2024-01-05T00:00:00Z"},
        {**ROW, "wind": 9.0},
    ]
    answers = client.post("/predict", json={"rows": rows}).json()["predictions"]
    assert [answer["flags"] for answer in answers] == [
        [],
        ["weather_now: unknown"],
        ["weather_now: not known then"],
        [],
    ]
    assert logged(client).features["wind"] == [WIND, None, None, 9.0]
    assert 'flag="weather_now: unknown"' in client.get("/metrics").text


def test_a_field_that_is_missing_is_a_422(client):
    reply = client.post("/predict", json={"distance": 4.0})
    assert reply.status_code == 422
    assert "station is missing" in reply.text
    reply = client.post("/predict", json=[ROW, {**ROW, "stations": "A"}])
    assert (reply.status_code, "stations is not a feature" in reply.text) == (422, True)
    assert client.post("/predict", json=[ROW, 3]).status_code == 422


def test_other_protocols_look_up_too(client):
    answer = client.post("/predict", json=ROW).json()
    inputs = [
        {"name": "station", "shape": [1], "datatype": "BYTES", "data": ["A"]},
        {"name": "distance", "shape": [1], "datatype": "FP64", "data": [4.0]},
    ]
    outputs = client.post("/v2/models/trips/infer", json={"inputs": inputs}).json()["outputs"]
    found = {output["name"]: output["data"][0] for output in outputs}
    assert found["score"] == answer["score"]
    records = {"dataframe_records": [{"station": "A", "distance": 4.0}]}
    assert client.post("/invocations", json=records).status_code == 200
    assert logged(client).features["wind"] == [WIND]
    explained = client.post("/explain", json={"row": ROW, "method": "shap"}).json()
    assert explained["score"] == answer["score"]


def test_the_document_says_what_may_be_left_out(client):
    row = client.get("/openapi.json").json()["components"]["schemas"]["Row"]
    assert row["required"] == ["distance"]
    assert "station" in row["properties"]
    assert row["properties"]["wind"]["description"].endswith("Looked up or computed if left out.")


def test_a_server_of_features_that_stops_is_flagged_and_waited_for(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    server = valkey_server()
    with served(folder, online=f"redis://127.0.0.1:{server.port}/0") as client:
        assert client.post("/predict", json=ROW).json()["flags"] == []
        assert client.post("/predict", json=[ROW, ROW]).json()["predictions"][1]["flags"] == []
        assert logged(client).features["wind"] == [WIND, WIND]
        assert client.post("/predict", json={"distance": 4.0}).status_code == 422
        server.stop()
        for body in (ROW, [ROW]):
            answer = client.post("/predict", json=body).json()
            answer = answer.get("predictions", [answer])[0]
            assert (answer["flags"], answer["fallback"]) == (["weather_now: unavailable"], False)


def test_the_baseline_answers_where_the_project_says_so(tmp_path):
    with served(copied_trips(tmp_path / "trips"), unknown="fallback") as client:
        answers = client.post("/predict", json=[ROW, {**ROW, "station": "C"}]).json()["predictions"]
        assert [answer["fallback"] for answer in answers] == [False, True]
        assert answers[1]["reason"] == "features"
        assert answers[1]["flags"] == ["weather_now: unknown", "features: missing"]
