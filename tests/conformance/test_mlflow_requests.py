"""MLflow's own client, and every form of its scoring protocol, beside MLflow's own server.

``mlflow models serve`` runs the application that ``mlflow.pyfunc.scoring_server.init`` makes of a
model: the same requests go to it and to ours.
"""

from __future__ import annotations

import asyncio
import io
import json

import httpx
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import scoring_server
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from small_packages import BINARY, sample_rows

KINDS = ["rule", "binary", "multiclass", "regression"]
COLUMNS = ["distance", "temp", "hour", "carrier"]


@pytest.fixture(scope="module", params=KINDS)
def both(request, built, tmp_path_factory):
    """A service of ours and MLflow's application, of one package."""
    from running import Running

    service = Running(tmp_path_factory.mktemp("state"))
    package = built[request.param]
    service.promote(package, "first")
    theirs = scoring_server.init(mlflow.pyfunc.load_model(str(package.path)))
    yield service, theirs
    service.stop()


def frame(count=9):
    columns, _ = sample_rows(BINARY, count, seed=5)
    return pd.DataFrame(columns)[COLUMNS]


def rows_of(table):
    return json.loads(table.to_json(orient="records"))


def split_of(table):
    return json.loads(table.to_json(orient="split"))


def text_of(table, **how):
    text = io.StringIO()
    table.to_csv(text, **how)
    return text.getvalue()


def as_columns(table):
    return {name: [row[name] for row in rows_of(table)] for name in COLUMNS}


FORMS = {
    "dataframe_split": lambda t: {"dataframe_split": split_of(t)},
    "dataframe_split without index": lambda t: {
        "dataframe_split": {k: v for k, v in split_of(t).items() if k != "index"}
    },
    "dataframe_records": lambda t: {"dataframe_records": rows_of(t)},
    "instances": lambda t: {"instances": rows_of(t)},
    "inputs as columns": lambda t: {"inputs": as_columns(t)},
    "inputs as rows": lambda t: {"inputs": rows_of(t)},
    "a column more": lambda t: {"dataframe_records": rows_of(t.assign(colour="red"))},
    "params": lambda t: {"dataframe_split": split_of(t), "params": {"threshold": 0.5}},
    "other order": lambda t: {"dataframe_split": split_of(t[COLUMNS[::-1]])},
}


def ask(both, content, kind="application/json"):
    """Post the same to both, and return (status, answer) of each."""
    service, theirs = both
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": kind}
    ours = httpx.post(f"{service.url}/invocations", content=body, headers=headers)

    async def send():
        transport = httpx.ASGITransport(theirs)
        async with httpx.AsyncClient(transport=transport, base_url="http://mlflow") as client:
            return await client.post("/invocations", content=body, headers=headers)

    return ours, asyncio.run(send())


def check(ours, theirs):
    assert (ours.status_code, theirs.status_code) == (200, 200), (ours.text, theirs.text)
    assert ours.headers["content-type"] == theirs.headers["content-type"] == "application/json"
    answer, wanted = ours.json(), theirs.json()
    assert answer.keys() == wanted.keys() == {"predictions"}
    np.testing.assert_allclose(answer["predictions"], wanted["predictions"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_every_json_form_is_answered_as_mlflow_does(both, form):
    table = frame()
    if form == "instances":
        table = table.assign(temp=table.temp.fillna(3.5))  # MLflow makes text of a null there
    check(*ask(both, FORMS[form](table)))


def test_a_nullable_column_may_be_left_out(both):
    check(*ask(both, {"dataframe_records": rows_of(frame().drop(columns="temp"))}))


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
def test_csv_is_answered_as_mlflow_does(both, index):
    check(*ask(both, text_of(frame(), index=index).encode(), "text/csv; charset=utf-8"))
    check(*ask(both, text_of(frame(), index=index, na_rep="NaN").encode(), "text/csv"))


def test_mlflows_own_client(both):
    service, _ = both
    client = ScoringServerClient(service.host, service.port)
    client.wait_server_ready(timeout=10)
    client.ping()
    assert client.get_version() == mlflow.__version__
    table = frame()
    wanted = mlflow.pyfunc.load_model(str(service.live.current.package.path)).predict(table)
    found = client.invoke(table).get_predictions("ndarray")
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    found = client.invoke(table, params={"threshold": 0.5}).get_predictions("dataframe")
    assert len(found) == len(table)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        ([1, 2], "application/json", 400),
        ({"rows": []}, "application/json", 400),
        ({"inputs": {}, "instances": []}, "application/json", 400),
        ({"dataframe_records": {"distance": 1}}, "application/json", 400),
        ({"dataframe_split": [1]}, "application/json", 400),
        ({"dataframe_split": {"columns": ["a"]}}, "application/json", 400),
        (b"x", "text/plain", 415),
        (b"x", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json; charset=latin-1", 415),
    ],
)
def test_what_mlflow_refuses_is_refused_in_its_form(both, content, kind, status):
    ours, theirs = ask(both, content, kind)
    assert (ours.status_code, theirs.status_code) == (status, status), (ours.text, theirs.text)
    if status == 415:
        assert ours.headers["content-type"] == theirs.headers["content-type"]
        return
    answer, wanted = ours.json(), theirs.json()
    assert {"error_code", "message"} == answer.keys() <= wanted.keys()
    assert wanted["error_code"] in (answer["error_code"], "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_health_is_said_as_mlflow_does(both, path):
    ours = httpx.get(both[0].url + path)
    assert (ours.status_code, ours.text) == (200, "\n")
