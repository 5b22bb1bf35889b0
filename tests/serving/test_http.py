from __future__ import annotations

import asyncio
import json
import logging
import math
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from small_packages import BINARY, ROW, build

from gleis.contracts.errors import StoreError
from gleis.packaging.rule import constant_rule


def samples(client):
    """Return what /metrics says: (name, labels) -> value; the model's name is left out."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sorted(set(sample.labels.values()) - {"flights"})): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def error_of(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert set(error) == {"what", "seen", "field", "remedy"}
    assert error["what"]
    assert error["remedy"]
    assert "Traceback" not in response.text
    return error


def test_one_row_many_rows_and_a_bare_list(client, service):
    one = client.post("/predict", json=ROW)
    assert one.status_code == 200
    answer = one.json()
    assert answer.pop("prediction_id")
    assert answer == {
        "prediction": 1,
        "score": 0.625,
        "model": "flights",
        "version": 1,
        "fallback": False,
        "flags": [],
    }
    rows = [ROW | {"hour": 3}, ROW | {"distance": 9e9}]
    for body in ({"rows": rows}, rows):
        many = client.post("/predict", json=body).json()["predictions"]
        assert [answer["score"] for answer in many] == [0.25, 0.625]
        assert [answer["flags"] for answer in many] == [[], ["distance: out of range"]]


def test_an_answer_is_in_the_log_when_it_arrives(client, service):
    row = ROW | {"flight": 1545, "departs_at": "2013-07-04T12:00:00Z", "carrier": "ZZ"}
    answer = client.post("/predict", json=row).json()
    logged = service.home.log.find(answer["prediction_id"])
    assert logged.features == ROW | {"carrier": "ZZ"}
    assert (logged.score, logged.version, logged.entity) == (0.625, 1, "1545")
    assert logged.event_time.isoformat() == "2013-07-04T12:00:00+00:00"
    assert logged.flags == answer["flags"] == ["carrier: unseen category"]


def test_many_rows_are_worked_on_beside_the_event_loop(client, service):
    rows = [ROW | {"hour": position % 24, "flight": position} for position in range(1000)]
    assert len(json.dumps(rows)) > 65_536
    answers = client.post("/predict", json=rows).json()["predictions"]
    assert [answer["score"] for answer in answers] == [
        0.625 if row["hour"] == 17 else 0.25 for row in rows
    ]
    assert service.home.log.find(answers[999]["prediction_id"]).features["hour"] == 999 % 24


@pytest.mark.parametrize(
    ("content", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"not json", 400, None),
        (b"\xff\xfe\x00", 400, None),
        (b"[" * 50_000, 400, None),
        (b'{"distance": NaN}', 400, None),
        (b"3", 400, None),
        (b"null", 400, None),
        (b"[]", 400, None),
        (b'{"rows": []}', 400, None),
        (b'{"rows": 3}', 400, "rows"),
        (b"[1, 2]", 422, None),
        (b"[[]]", 422, None),
        (b"{}", 422, "distance"),
        (json.dumps(ROW | {"distance": None}).encode(), 422, "distance"),
        (json.dumps(ROW | {"distance": "far"}).encode(), 422, "distance"),
        (json.dumps(ROW | {"distance": True}).encode(), 422, "distance"),
        (json.dumps(ROW | {"hour": 3.5}).encode(), 422, "hour"),
        (json.dumps(ROW | {"hour": 10**30}).encode(), 422, "hour"),
        (json.dumps(ROW | {"late": 1}).encode(), 422, "late"),
        (json.dumps({"distance": 1.0}).encode(), 422, "temp"),
        (json.dumps(ROW | {"departs_at": "soon"}).encode(), 422, "departs_at"),
        (json.dumps([ROW] * 1001).encode(), 413, "rows"),
        (b" " * 1_000_001, 413, "body"),
    ],
)
def test_bad_rows_get_one_clear_error_and_lose_nothing(client, service, content, status, field):
    error = error_of(client.post("/predict", content=content), status)
    assert error["field"] == field
    assert service.home.log.counts().predictions == 0
    assert client.post("/predict", json=ROW).status_code == 200


def test_a_bad_row_is_named_by_its_place_and_value(client):
    error = error_of(client.post("/predict", json=[ROW, ROW, ROW | {"carrier": 7}]), 422)
    assert error["what"].startswith("rows[2]: carrier")
    assert error["seen"] == "7"
    assert "AA" in error["remedy"]


def test_a_body_of_50_mb_is_refused_before_it_is_read(service):
    """The server answers on the declared length; the client has sent only a little."""
    with socket.create_connection((service.host, service.port), timeout=5) as line:
        line.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n{")
        assert line.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_stream_without_end_is_cut_off(service):
    with socket.create_connection((service.host, service.port), timeout=5) as line:
        line.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(17):
            line.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_leaves_half_way_harms_nobody(client, service):
    for _ in range(5):
        with socket.create_connection((service.host, service.port), timeout=5) as line:
            line.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
    assert client.post("/predict", json=ROW).status_code == 200
    assert service.home.log.counts().predictions == 1


def test_unknown_paths_and_wrong_methods(client):
    assert error_of(client.get("/"), 404)["seen"] == "'/'"
    assert error_of(client.post("/predict/", json=ROW), 404)
    response = client.get("/predict")
    assert error_of(response, 405)["seen"] == "'GET'"
    assert response.headers["allow"] == "POST"
    assert error_of(client.post("/livez"), 405)
    assert client.head("/livez").status_code == 200


def test_labels_known_unknown_changed_and_early(client, service):
    ids = [
        a["prediction_id"] for a in client.post("/predict", json=[ROW, ROW]).json()["predictions"]
    ]
    first = client.post("/labels", json={"prediction_id": ids[0], "label": 1})
    assert (first.status_code, first.json()) == (
        200,
        {"accepted": 1, "unknown": [], "changed": []},
    )
    again = client.post("/labels", json=[{"prediction_id": ids[0], "label": False}])
    assert again.json()["changed"] == [ids[0]]
    assert [given.value for given in service.home.log.find(ids[0]).labels] == ["1", "0"]
    early = client.post("/labels", json={"labels": [{"id": 77, "label": "1"}]})
    assert (early.status_code, early.json()["unknown"]) == (202, ["77"])
    late = client.post("/predict", json=ROW | {"flight": 77}).json()["prediction_id"]
    assert [given.value for given in service.home.log.find(late).labels] == ["1"]
    nowhere = client.post("/labels", json={"prediction_id": "9-9-00000000", "label": 0})
    assert (nowhere.status_code, nowhere.json()["unknown"]) == (202, ["9-9-00000000"])


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"prediction_id": "1", "label": "perhaps"}, 422, "label"),
        ({"prediction_id": "1", "label": 2}, 422, "label"),
        ({"prediction_id": "1", "label": None}, 422, "label"),
        ({"prediction_id": "1"}, 422, "label"),
        ({"label": 1}, 422, "prediction_id"),
        ([{"prediction_id": "1", "label": 1}, 3], 422, None),
        ({"labels": 3}, 400, "labels"),
        ([], 400, None),
    ],
)
def test_bad_labels_get_one_clear_error_and_none_is_kept(client, service, body, status, field):
    assert error_of(client.post("/labels", json=body), status)["field"] == field
    assert service.home.log.counts().labels == 0


def test_without_a_model_it_lives_but_is_not_ready(empty_service, packages):
    with httpx.Client(base_url=empty_service.url) as client:
        assert client.get("/livez").json() == {"alive": True}
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert error_of(client.post("/predict", json=ROW), 503)["remedy"]
        assert error_of(client.post("/labels", json={"id": 1, "label": 1}), 503)
        assert error_of(client.get("/openapi.json"), 503)
        assert client.get("/metrics").status_code == 200
        empty_service.promote(packages["rule"], "first")
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["version"]) == (200, 1)
        assert client.post("/predict", json=ROW).status_code == 200


def test_a_refused_champion_shows_and_the_old_one_answers(client, service, tmp_path):
    gone = build(tmp_path, BINARY, run="gone", rule=constant_rule(0.5))
    (gone.path / "model.json").write_text("{}")
    version = service.registry.register(gone.path, gone.digest, "gone", passed=True)
    service.registry.deployments.promote(version, "worse", "tests", "gone")
    for _ in range(200):
        ready = client.get("/readyz").json()
        if ready["reload_error"]:
            break
    assert "model.json" in ready["reload_error"]
    assert (ready["ready"], ready["version"]) == (True, 1)
    assert client.post("/predict", json=ROW).json()["version"] == 1
    assert samples(client)[("gleis_reload_errors_total",)] == 1


def test_metrics_count_what_happened(client, service, packages):
    client.post("/predict", json=[ROW, ROW | {"hour": 3}, ROW | {"carrier": "ZZ"}])
    client.post("/predict", json=ROW)
    client.post("/predict", content=b"{")
    client.post("/labels", json={"id": 1, "label": 1})
    client.get("/nowhere/at/all")
    client.get("/nowhere/else")
    found = samples(client)
    assert found[("gleis_predictions_total", "1", "champion", "false")] == 4
    assert found[("gleis_prediction_seconds_count",)] == 2
    assert found[("gleis_score_count", "1")] == 4
    assert found[("gleis_score_bucket", "0.25", "1")] == 1
    assert math.isclose(found[("gleis_score_sum", "1")], 3 * 0.625 + 0.25)
    assert found[("gleis_flags_total", "carrier: unseen category")] == 1
    assert found[("gleis_labels_total", "accepted")] == 1
    assert found[("gleis_labels_total", "unknown")] == 1
    assert found[("gleis_requests_total", "/predict", "200")] == 2
    assert found[("gleis_requests_total", "/predict", "400")] == 1
    assert found[("gleis_requests_total", "404", "other")] == 2
    info = ("gleis_model_info", *sorted(("1", packages["rule"].digest)))
    assert found[info] == 1
    service.promote(packages["binary"], "second")
    infos = [key for key in samples(client) if key[0] == "gleis_model_info"]
    assert infos == [("gleis_model_info", *sorted(("2", packages["binary"].digest)))]


def test_openapi_follows_the_version(client, service, packages):
    assert client.get("/openapi.json").json()["info"]["version"] == "1"
    service.promote(packages["binary"], "second")
    assert client.get("/openapi.json").json()["info"]["version"] == "2"


def test_no_answer_without_a_record(client, service, monkeypatch, caplog):
    """A log that cannot be written is said, not glossed over."""

    def full(batches):
        raise StoreError("The disk is full", remedy="Make room.")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(service.home.log, "append", full)
        assert error_of(client.post("/predict", json=ROW), 503)["what"] == "The disk is full"
    assert "The disk is full" in caplog.text
    assert client.post("/predict", json=ROW).status_code == 200
    assert samples(client)[("gleis_predictions_total", "1", "champion", "false")] == 1


def test_a_fault_of_ours_is_logged_not_shown(client, service, monkeypatch, caplog):
    def fails(batch, ids):
        raise KeyError("a secret of the inside")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(service.live.current, "render", fails)
        response = client.post("/predict", json=ROW)
    assert error_of(response, 500)
    assert "secret" not in response.text
    assert "a secret of the inside" in caplog.text


def test_new_champions_take_over_under_load_without_a_failed_request(service, packages):
    async def drive():
        statuses, versions, going = [], [], True

        async def ask(client):
            while going:
                response = await client.post("/predict", json=ROW)
                statuses.append(response.status_code)
                versions.append(response.json()["version"])

        async with httpx.AsyncClient(base_url=service.url, timeout=20) as client:
            asking = [asyncio.create_task(ask(client)) for _ in range(8)]
            for turn in range(6):
                built = packages["rule" if turn % 2 else "binary"]
                await asyncio.to_thread(service.promote, built, f"turn {turn}")
                await asyncio.sleep(0.1)
            going = False
            await asyncio.gather(*asking)
        return statuses, versions

    statuses, versions = asyncio.run(drive())
    assert set(statuses) == {200}
    assert len(statuses) > 100
    assert set(versions) == set(range(1, 8))
