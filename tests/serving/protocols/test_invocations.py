from __future__ import annotations

import json

import httpx
import pytest
from small_packages import BINARY, ROW

from gleis.contracts.contract import Column, Contract
from gleis.serving.protocols.invocation_rows import TableReader

KINDS = Contract(
    task="regression",
    features=(
        Column(name="n", kind="number", nullable=True),
        Column(name="i", kind="integer", nullable=True),
        Column(name="b", kind="boolean", nullable=True),
        Column(name="c", kind="category", nullable=True, categories=("NA", "x")),
    ),
    target="y",
)
LONE = Contract(task="regression", features=(Column(name="x", kind="number"),), target="y")


def invoke(client, content, status=200, kind="application/json"):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    reply = client.post("/invocations", content=body, headers={"Content-Type": kind})
    assert reply.status_code == status, reply.text
    return reply


def test_what_carries_the_row_is_logged(client, service):
    row = ROW | {"flight": 1545, "departs_at": "2013-07-04T12:00:00Z"}
    answer = invoke(client, {"dataframe_records": [row, ROW]}).json()
    assert answer == {"predictions": [0.625, 0.625]}
    logged = service.home.log.find(service.home.log.read(0, 10)[0].ids[0])
    assert logged.entity == "1545"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"dataframe_records": [ROW | {"hour": "late"}]}, "hour must be"),
        ({"dataframe_records": [{"distance": 3.0}]}, "hour is missing"),
        ({"inputs": ROW | {"distance": None}}, "distance must be"),
    ],
)
def test_a_broken_contract_names_the_field(client, service, form, words):
    answer = invoke(client, form, 422).json()
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert words in answer["message"]
    assert service.home.log.counts().predictions == 0


@pytest.mark.parametrize(
    "form",
    [
        {"dataframe_records": []},
        {"dataframe_records": [3]},
        {"dataframe_split": {"data": [[1]]}},
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}},
        {"dataframe_split": {"columns": ["a", "b"], "data": [1]}},
        {"dataframe_split": {"columns": ["a"], "data": 3, "x": 1}},
        {"instances": 3},
        {"instances": [[1, 2]]},
        {"instances": [ROW, 3]},
        {"inputs": {"distance": [1, 2], "hour": [3]}},
        {"inputs": {}},
    ],
)
def test_tables_of_another_shape(client, form):
    assert invoke(client, form, 400).json()["error_code"] == "BAD_REQUEST"


def test_rows_without_names_are_in_the_contracts_order(client):
    values = [ROW[name] for name in BINARY.names]
    for form in ("instances", "inputs"):
        assert invoke(client, {form: [values, values]}).json() == {"predictions": [0.625] * 2}
    assert invoke(client, {"inputs": ROW}).json() == {"predictions": [0.625]}


def test_a_lone_feature_needs_no_brackets():
    reader = TableReader(LONE)
    forms = [
        {"instances": [1.5, 2.0]},
        {"instances": [[1.5], [2.0]]},
        {"inputs": [1.5, 2.0]},
        {"inputs": {"x": [1.5, 2.0]}},
        {"inputs": {"x": [[1.5], [2.0]]}},
        {"dataframe_split": {"columns": ["x"], "data": [1.5, 2.0]}},
    ]
    for form in forms:
        assert reader.from_json(json.dumps(form).encode()) == [{"x": 1.5}, {"x": 2.0}]


def test_csv_fields_by_kind():
    text = "n,i,b,c,other\n1.5,2,True,x,q\n,,,,\nnan,3.0,false,NA,\n1_0,x,2,None,\n"
    assert TableReader(KINDS).from_csv(text.encode()) == [
        {"n": 1.5, "i": 2, "b": True, "c": "x"},
        {"n": None, "i": None, "b": None, "c": None},
        {"n": None, "i": 3.0, "b": False, "c": "NA"},
        {"n": "1_0", "i": "x", "b": "2", "c": None},
    ]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a,b\n1\n", b"a,a\n1,2\n", b"\n\n"])
def test_bad_csv(client, body):
    answer = invoke(client, body, 400, "text/csv").json()
    assert answer["error_code"] == "BAD_REQUEST"


def test_no_content_type_is_json(client):
    reply = client.post("/invocations", content=json.dumps({"inputs": ROW}).encode())
    assert reply.json() == {"predictions": [0.625]}


def test_large_tables_are_read_beside_the_event_loop(client):
    rows = [ROW | {"hour": place % 24, "flight": place} for place in range(1000)]
    body = json.dumps({"dataframe_records": rows}).encode()
    assert len(body) > 65_536
    scores = invoke(client, body).json()["predictions"]
    assert scores == [0.625 if row["hour"] == 17 else 0.25 for row in rows]


def test_without_a_model(empty_service):
    with httpx.Client(base_url=empty_service.url) as client:
        assert client.get("/ping").status_code == 503
        answer = invoke(client, {"inputs": ROW}, 503).json()
        assert answer["error_code"] == "TEMPORARILY_UNAVAILABLE"
