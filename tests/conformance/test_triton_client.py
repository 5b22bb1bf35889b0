"""Triton's own HTTP client, as it comes, against a service on a port."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tritonclient.http as triton
from small_packages import BINARY, FEATURES, ROW, sample_rows
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from gleis.contracts.clock import SystemClock
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate

COUNT = 7
DATATYPES = {"distance": "FP64", "temp": "FP64", "hour": "INT64", "carrier": "BYTES"}


@pytest.fixture
def client(serve):
    """Return a function that connects a client to a service of a kind."""
    clients = []

    def connect(kind):
        service = serve(kind)
        client = triton.InferenceServerClient(f"{service.host}:{service.port}")
        clients.append(client)
        return client, service

    yield connect
    for one in clients:
        one.close()


def arrays(contract, count=COUNT):
    columns, _ = sample_rows(contract, count, seed=3)
    return {
        "distance": np.array(columns["distance"]),
        "temp": np.array([np.nan if value is None else value for value in columns["temp"]]),
        "hour": np.array(columns["hour"], dtype=np.int64),
        "carrier": np.array(columns["carrier"], dtype=np.object_),
    }


def inputs_of(given, *, binary=True, column=False):
    made = []
    for name, values in given.items():
        shaped = values.reshape(-1, 1) if column else values
        one = triton.InferInput(name, list(shaped.shape), DATATYPES[name])
        one.set_data_from_numpy(shaped, binary_data=binary)
        made.append(one)
    return made


def expected(service, given):
    columns = {
        name: [None if value != value else value for value in values.tolist()]
        for name, values in given.items()
    }
    return service.live.current.package.model.predict(columns)


def test_health_and_metadata(client):
    connected, _ = client("multiclass")
    assert connected.is_server_live()
    assert connected.is_server_ready()
    assert connected.is_model_ready("flights")
    assert connected.is_model_ready("flights", "1")
    assert not connected.is_model_ready("trains")
    assert not connected.is_model_ready("flights", "7")
    assert connected.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = connected.get_model_metadata("flights", "1")
    assert {one["name"]: one["datatype"] for one in metadata["inputs"]} == DATATYPES
    assert [one["name"] for one in metadata["inputs"]] == [column.name for column in FEATURES]
    outputs = {one["name"]: (one["datatype"], one["shape"]) for one in metadata["outputs"]}
    assert outputs["prediction"] == ("BYTES", [-1])
    assert outputs["probabilities"] == ("FP64", [-1, 3])


@pytest.mark.parametrize("kind", ["rule", "binary", "regression", "multiclass"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("column", [True, False], ids=["n1", "n"])
def test_infer_as_it_comes(client, kind, binary, column):
    connected, service = client(kind)
    contract = service.live.current.contract
    given = arrays(contract)
    result = connected.infer(
        "flights", inputs_of(given, binary=binary, column=column), request_id="seven"
    )
    said = result.get_response()
    assert (said["model_name"], said["model_version"], said["id"]) == ("flights", "1", "seven")
    score = "probabilities" if kind == "multiclass" else "score"
    found = result.as_numpy(score)
    wanted = expected(service, given)
    assert found.shape == wanted.shape
    assert np.array_equal(found, wanted)
    ids = [text.decode() for text in result.as_numpy("prediction_id")]
    assert len(set(ids)) == COUNT
    logged = service.home.log.find(ids[2])
    assert logged.features["carrier"] == given["carrier"][2]
    assert np.array_equal(result.as_numpy("version"), [1] * COUNT)
    assert not result.as_numpy("fallback").any()
    assert result.as_numpy("fallback").dtype == bool
    labels = result.as_numpy("prediction")
    if kind == "regression":
        assert np.array_equal(labels, wanted)
    elif kind == "multiclass":
        names = json.loads(result.get_output(score)["parameters"]["classes"])
        assert [text.decode() for text in labels] == [names[i] for i in wanted.argmax(axis=1)]
    else:
        assert np.array_equal(labels, wanted >= 0.5)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_only_the_outputs_asked_for(client, binary):
    connected, _ = client("binary")
    given = arrays(BINARY)
    asked = [
        triton.InferRequestedOutput("score", binary_data=binary),
        triton.InferRequestedOutput("flags", binary_data=not binary),
    ]
    result = connected.infer("flights", inputs_of(given), outputs=asked)
    assert [one["name"] for one in result.get_response()["outputs"]] == ["score", "flags"]
    assert result.as_numpy("score").shape == (COUNT,)
    assert result.as_numpy("prediction") is None


@pytest.mark.parametrize("how", ["gzip", "deflate"])
def test_compressed_requests(client, how):
    connected, service = client("binary")
    given = arrays(BINARY, 500)
    result = connected.infer(
        "flights",
        inputs_of(given),
        request_compression_algorithm=how,
        response_compression_algorithm=how,
    )
    assert np.array_equal(result.as_numpy("score"), expected(service, given))


def test_flags_and_missing_values(client):
    connected, service = client("rule")
    given = arrays(BINARY, 3)
    given["temp"] = np.array([np.nan, 1.0, np.nan])
    given["distance"] = np.array([9e9, 100.0, 100.0])
    given["carrier"] = np.array(["ZZ", "UA", "AA"], dtype=np.object_)
    result = connected.infer("flights", inputs_of(given))
    flags = [json.loads(text) for text in result.as_numpy("flags")]
    assert flags == [["distance: out of range", "carrier: unseen category"], [], []]
    first = service.home.log.find(result.as_numpy("prediction_id")[0].decode())
    assert first.features["temp"] is None


def test_async_requests(client):
    connected, service = client("binary")
    given = arrays(BINARY)
    waiting = [connected.async_infer("flights", inputs_of(given)) for _ in range(5)]
    for one in waiting:
        assert np.array_equal(one.get_result().as_numpy("score"), expected(service, given))
    assert service.home.log.counts().predictions == 5 * COUNT


@pytest.mark.parametrize(
    ("model", "version", "change", "status", "words"),
    [
        ("trains", "", {}, "404", "no such model"),
        ("flights", "9", {}, "404", "version"),
        ("flights", "", {"hour": np.array([1.5] * COUNT)}, "422", "hour must be a whole number"),
        ("flights", "", {"distance": np.array([np.nan] * COUNT)}, "422", "distance must be"),
        ("flights", "", {"distance": np.array([1.0])}, "400", "columns of one table"),
        ("flights", "", {"hour": np.array([True] * COUNT)}, "422", "datatype BOOL"),
        ("flights", "", {"hour": np.array([b"1"] * COUNT, np.object_)}, "422", "datatype BYTES"),
    ],
)
def test_errors_are_told_in_the_clients_own_exception(
    client, model, version, change, status, words
):
    connected, service = client("rule")
    given = arrays(BINARY) | change
    made = []
    for name, values in given.items():
        one = triton.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        one.set_data_from_numpy(values)
        made.append(one)
    with pytest.raises(InferenceServerException) as caught:
        connected.infer(model, made, model_version=version)
    assert caught.value.status() == status
    assert words in caught.value.message()
    assert service.home.log.counts().predictions == 0


def test_an_extension_that_is_not_there_says_so(client):
    connected, _ = client("rule")
    with pytest.raises(InferenceServerException, match="There is nothing at this path"):
        connected.get_model_config("flights")


def test_the_row_that_http_sends_gets_the_same_score(client):
    connected, service = client("binary")
    given = {name: np.array([value]) for name, value in ROW.items()}
    given["carrier"] = given["carrier"].astype(np.object_)
    result = connected.infer("flights", inputs_of(given))
    assert result.as_numpy("score")[0] == expected(service, given)[0]


def test_with_an_api_key_in_its_headers(client):
    connected, service = client("rule")
    clock = SystemClock()
    callers = Callers(service.home, clock)
    _, key = callers.new("triton", ["predict"], by="tests")
    gate = Gate(callers, "flights", clock, service.home.rates)
    gate.load()
    service.app.access = gate
    given = inputs_of(arrays(BINARY))
    assert connected.is_server_ready()
    with pytest.raises(InferenceServerException, match="who sends it") as caught:
        connected.infer("flights", given)
    assert caught.value.status() == "401"
    result = connected.infer("flights", given, headers={"Authorization": f"Bearer {key}"})
    assert result.as_numpy("score").shape == (COUNT,)
