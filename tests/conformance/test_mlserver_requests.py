"""Requests in the forms that MLServer's codecs write: np, pd and str, nulls spelled out."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from small_packages import BINARY, ROW, sample_rows

DATATYPES = {"distance": "FP64", "temp": "FP64", "hour": "INT64", "carrier": "BYTES"}


@pytest.fixture
def service(serve):
    return serve("multiclass")


@pytest.fixture
def client(service):
    with httpx.Client(base_url=service.url) as client:
        yield client


def tensor(name, data, content_type, **more):
    return {
        "name": name,
        "shape": [len(data), 1],
        "datatype": DATATYPES[name],
        "parameters": {"content_type": content_type, "headers": None},
        "data": data,
        **more,
    }


def frame_request(columns):
    """A data frame as PandasCodec writes it, dumped with its unset fields."""
    return {
        "id": None,
        "parameters": {"content_type": "pd", "headers": None},
        "inputs": [
            tensor(name, values, "str" if name == "carrier" else "np")
            for name, values in columns.items()
        ],
        "outputs": None,
    }


def outputs_of(answer):
    return {one["name"]: one for one in answer["outputs"]}


def test_health_and_metadata(client):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/flights/ready"):
        assert client.get(path).status_code == 200
    assert client.get("/v2/models/flights/versions/1/ready").json() == {
        "name": "flights",
        "ready": True,
    }
    server = client.get("/v2").json()
    assert server.keys() == {"name", "version", "extensions"}
    model = client.get("/v2/models/flights").json()
    assert model.keys() == {"name", "versions", "platform", "inputs", "outputs"}
    assert model["versions"] == ["1"]


@pytest.mark.parametrize("path", ["/v2/models/flights", "/v2/models/flights/versions/1"])
def test_a_data_frame(client, service, path):
    columns, _ = sample_rows(BINARY, 6, seed=4)
    reply = client.post(f"{path}/infer", json=frame_request(columns))
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert (answer["model_name"], answer["model_version"]) == ("flights", "1")
    found = outputs_of(answer)["probabilities"]
    wanted = service.live.current.package.model.predict(columns)
    assert found["shape"] == [6, 3]
    assert np.array_equal(np.reshape(found["data"], [6, 3]), wanted)


def test_outputs_by_the_names_of_its_runtimes(client, service):
    request = frame_request({name: [value] for name, value in ROW.items()})
    request["outputs"] = [{"name": "predict"}, {"name": "predict_proba"}]
    found = outputs_of(client.post("/v2/models/flights/infer", json=request).json())
    wanted = service.live.current.package.model.predict({n: [v] for n, v in ROW.items()})
    classes = service.live.current.contract.classes
    assert found["predict"]["data"] == [classes[int(wanted[0].argmax())]]
    assert found["predict_proba"]["data"] == wanted[0].tolist()


def test_an_error_is_one_text(client):
    request = frame_request({name: [value] for name, value in ROW.items()})
    reply = client.post("/v2/models/my-model/versions/v0/infer", json=request)
    assert reply.status_code == 404
    assert reply.json().keys() == {"error"}
    assert "my-model" in reply.json()["error"]
    request["parameters"]["content_type"] = "hg"
    reply = client.post("/v2/models/flights/infer", json=request)
    assert reply.status_code == 400
    assert "hg" in reply.json()["error"]
