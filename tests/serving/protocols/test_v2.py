from __future__ import annotations

import json

import httpx
import pytest
from small_packages import ROW

INFER = "/v2/models/flights/infer"


def column(name, datatype, data, **more):
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data, **more}


def request(**change):
    inputs = {
        "distance": column("distance", "FP64", [800.0, 900.0]),
        "temp": column("temp", "FP64", [12.5, None]),
        "hour": column("hour", "INT64", [17, 3]),
        "carrier": column("carrier", "BYTES", ["UA", "AA"]),
    }
    return {"inputs": [one for one in (inputs | change).values() if one is not None]}


def ask(client, content, status=200):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    reply = client.post(INFER, content=body)
    assert reply.status_code == status, reply.text
    return reply.json()


def outputs_of(answer):
    return {one["name"]: one["data"] for one in answer["outputs"]}


def test_all_outputs(client, service):
    answer = ask(client, request() | {"id": "mine"})
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("flights", "1", "mine")
    found = outputs_of(answer)
    ids = found.pop("prediction_id")
    assert found == {
        "prediction": [1, 0],
        "score": [0.625, 0.25],
        "version": [1, 1],
        "fallback": [False, False],
        "flags": ["[]", "[]"],
    }
    assert service.home.log.find(ids[1]).features["temp"] is None


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"hour": column("hour", "INT32", [17, 3])}, 200, ""),
        ({"hour": column("hour", "FP64", [17.0, 3.0])}, 200, ""),
        ({"distance": column("distance", "UINT16", [800, 900])}, 200, ""),
        ({"distance": column("distance", "FP64", [800, 900], shape=[2, 1])}, 200, ""),
        (
            {
                "distance": {
                    "name": "distance",
                    "shape": [2, 1],
                    "datatype": "FP64",
                    "data": [[1e3], [2e3]],
                }
            },
            200,
            "",
        ),
        ({"flight": column("flight", "INT64", [7, 8])}, 200, ""),
        ({"flight": column("flight", "BYTES", ["a", "b"])}, 200, ""),
        ({"departs_at": column("departs_at", "BYTES", ["2013-07-04", None])}, 200, ""),
        ({"departs_at": column("departs_at", "BYTES", ["soon", None])}, 422, "departs_at"),
        ({"carrier": column("carrier", "BYTES", ["", "AA"])}, 200, ""),
        ({"temp": None}, 422, "temp is missing"),
        ({"tide": column("tide", "FP64", [1.0, 2.0])}, 422, "tide is not a feature"),
        ({"hour": column("hour", "INT64", [17, 3.5])}, 400, "3.5"),
        ({"hour": column("hour", "INT8", [17, 300])}, 400, "300"),
        ({"hour": column("hour", "BOOL", [True, False])}, 422, "BOOL"),
        ({"hour": column("hour", "INT64", [17, None])}, 422, "hour must be"),
        ({"hour": column("hour", "INT99", [17, 3])}, 400, "INT99"),
        ({"carrier": column("carrier", "BYTES", [1, 2])}, 400, "text"),
        ({"carrier": column("carrier", "INT64", [1, 2])}, 422, "carrier is a category"),
        ({"carrier": column("carrier", "BYTES", ["UA"])}, 400, "one table"),
        ({"distance": column("distance", "FP64", [1.0, 2.0], shape=[3])}, 400, "its shape"),
        ({"distance": column("distance", "FP64", [1.0, 2.0], shape=[-2])}, 400, "its shape"),
        ({"distance": column("distance", "FP64", [1.0, 2.0], shape=[1, 2])}, 400, "[n, 1]"),
        ({"distance": column("distance", "FP64", [[1.0, 2.0], 3])}, 400, "elements"),
        ({"distance": column("distance", "FP64", [1.0, "far"])}, 400, "far"),
        ({"distance": {"name": "distance", "shape": [2], "datatype": "FP64"}}, 400, "no data"),
        ({"twice": column("distance", "FP64", [1.0, 2.0])}, 400, "one table"),
    ],
)
def test_inputs(client, service, change, status, words):
    answer = ask(client, request(**change), status)
    assert words in answer.get("error", "")
    assert service.home.log.counts().predictions == (2 if status == 200 else 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"[]", "not one of v2"),
        (b"{}", "inputs"),
        (b"[" * 50_000, "not JSON"),
        (b'{"inputs": []}', "no row"),
        (b'{"inputs": [3]}', "inputs"),
        (b'{"inputs": [{"name": "x"}]}', "shape"),
    ],
)
def test_other_bodies(client, content, words):
    assert words in ask(client, content, 400)["error"]


def test_nan_as_some_clients_write_it_is_a_missing_value(client, service):
    body = json.dumps(request(temp=column("temp", "FP64", [float("nan"), 1.0]))).encode()
    assert b"NaN" in body
    found = outputs_of(ask(client, body))
    assert service.home.log.find(found["prediction_id"][0]).features["temp"] is None


def test_infinity_is_no_value(client):
    body = json.dumps(request(temp=column("temp", "FP64", [float("inf"), 1.0]))).encode()
    assert "temp must be a finite number" in ask(client, body, 422)["error"]


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([{"name": "probabilities"}], "no such output"),
        ([{"name": "score", "parameters": {"classification": 2}}], "classification"),
        ([{"name": "score", "parameters": {"shared_memory_region": "a"}}], "shared_memory"),
    ],
)
def test_outputs_that_are_not_there_are_refused_before_anything_is_logged(
    client, service, outputs, words
):
    assert words in ask(client, request() | {"outputs": outputs}, 400)["error"]
    assert service.home.log.counts().predictions == 0


@pytest.mark.parametrize(
    ("header", "tail", "words"),
    [
        ("5", b"", "not JSON"),
        ("-1", b"", "Inference-Header-Content-Length"),
        ("x", b"", "Inference-Header-Content-Length"),
        ("99999", b"", "Inference-Header-Content-Length"),
        ("{size}", b"12345678", "binary part"),
    ],
)
def test_a_binary_part_that_does_not_add_up(client, header, tail, words):
    body = json.dumps(request()).encode()
    headers = {"Inference-Header-Content-Length": header.replace("{size}", str(len(body)))}
    reply = client.post(INFER, content=body + tail, headers=headers)
    assert reply.status_code == 400
    assert words in reply.json()["error"]


@pytest.mark.parametrize("size", [-1, 7, 16.0, True, 99])
def test_a_binary_size_that_does_not_fit(client, size):
    one = {"name": "distance", "shape": [2], "datatype": "FP64"}
    one["parameters"] = {"binary_data_size": size}
    body = json.dumps(request(distance=one)).encode()
    headers = {"Inference-Header-Content-Length": str(len(body))}
    reply = client.post(INFER, content=body + bytes(16), headers=headers)
    assert reply.status_code == 400
    assert "distance" in reply.json()["error"] or "binary part" in reply.json()["error"]


def test_wrong_methods_and_paths_answer_in_the_protocols_form(client):
    assert client.get(INFER).status_code == 405
    assert isinstance(client.get(INFER).json()["error"], str)
    assert isinstance(client.get("/v2/models/flights/config").json()["error"], str)


def test_without_a_model(empty_service):
    with httpx.Client(base_url=empty_service.url) as client:
        assert client.get("/v2").status_code == 200
        assert client.get("/v2/health/live").json() == {"live": True}
        ready = client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        reply = client.post(INFER, json={"inputs": []})
        assert (reply.status_code, type(reply.json()["error"])) == (503, str)


def test_many_rows_are_read_beside_the_event_loop(client):
    count = 1000  # serve.max_rows of this service
    given = {
        name: column(name, datatype, values * (count // 2))
        for name, datatype, values in (
            ("distance", "FP64", [800.12345678, 900.12345678]),
            ("temp", "FP64", [12.512345678, None]),
            ("hour", "INT64", [17, 3]),
            ("carrier", "BYTES", ["UA", "AA" * 40]),
        )
    }
    assert len(json.dumps(request(**given))) > 65_536
    found = outputs_of(ask(client, request(**given)))
    assert found["score"] == [0.625, 0.25] * (count // 2)


def test_the_time_that_comes_along_is_logged(client, service):
    given = {"departs_at": column("departs_at", "BYTES", ["2013-07-04T12:00:00+00:00", None])}
    found = outputs_of(ask(client, request(**given, flight=column("flight", "INT64", [7, 8]))))
    logged = service.home.log.find(found["prediction_id"][0])
    assert (logged.entity, logged.event_time.hour) == ("7", 12)
    assert "score" in found
    assert ROW.keys() == logged.features.keys()
