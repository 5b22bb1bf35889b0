"""``gleis up`` with receivers: an alarm is told, retrained away, and its resolution told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest

from commands import gleis
from gleis.monitoring.delivery.signature import verify
from hook_servers import Hook, hang
from trained_projects import copied, edit

KEY = "k" * 32
RNG = np.random.default_rng(5)


def dear_visits(count):
    price, pages = RNG.normal(16, 2, count).round(2), RNG.integers(1, 12, count)
    return [
        {"visit": f"n{RNG.integers(1 << 40)}", "price": float(p), "pages": int(n), "channel": "web"}
        for p, n in zip(price, pages, strict=True)
    ]


@pytest.fixture
def folder(tmp_path):
    return copied(tmp_path / "shifting", "shifting")


def start(folder, *flags, environment=None):
    command = [sys.executable, "-m", "gleis", "up", "--port", "0", "--json", "-p", str(folder)]
    for flag in flags:
        command += ["--set", flag]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
    )


def comes(check, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_an_alarm_is_told_while_another_receiver_hangs(folder):
    edit(folder / "gleis.toml", "[triggers]", '[loop]\nevery = "0.3s"\n\n[triggers]')
    with Hook() as well, Hook(hang(60)) as hanging:
        process = start(
            folder,
            f'alarms.webhook=["{hanging.url}", "env:HOOK"]',
            "alarms.webhook_secret_from=KEY",
            environment={"HOOK": well.url, "KEY": KEY},
        )
        try:
            text = ""
            while "}" not in text:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                text += line
            with httpx.Client(base_url=json.loads(text)["url"], timeout=20) as client:
                assert comes(lambda: _version(client) == 2)
                for _ in range(3):
                    answer = client.post("/predict", json={"rows": dear_visits(500)})
                    assert answer.status_code == 200
                assert comes(lambda: len(well.posts) == 2), "the alarm and its resolution"
                assert len(hanging.posts) == 1
                assert _version(client) == 3, "the loop went on meanwhile"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    alarm, resolved = well.bodies
    assert (alarm["event"], alarm["alarm"]["subject"]) == ("alarm", "price")
    assert resolved["event"] == "resolved"
    assert resolved["state"]["by"] == "version 3"
    headers, body = well.posts[0]
    assert verify(KEY.encode(), body, headers["Gleis-Signature"], time.time())
    shown = gleis(folder, "alarms", "show", alarm["short"]).out
    assert "alarm to webhook env:HOOK: delivered (HTTP 200)" in shown
    assert "resolved by version 3" in shown
    assert "alarm to webhook 127.0.0.1" in shown.partition("Not told yet")[2]
    assert "T0K3N" not in shown


def test_a_variable_that_is_not_set_stops_it_at_the_start(folder):
    process = start(folder, 'alarms.slack=["env:OPS_CHANNEL_OF_NOBODY"]')
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    error = json.loads(out)["error"]
    assert "OPS_CHANNEL_OF_NOBODY, which is not set" in error["what"]
    assert "Set OPS_CHANNEL_OF_NOBODY" in error["remedy"]


def test_a_single_look_tells_too_and_a_test_reaches_everybody(folder, monkeypatch):
    with Hook() as hook:
        monkeypatch.setenv("GLEIS_ALARMS__WEBHOOK", f'["{hook.url}"]')
        assert gleis(folder, "alarms", "test").code == 0
        assert [body["event"] for body in hook.bodies] == ["test"]
        rows = folder / "rows.json"
        rows.write_text(json.dumps(dear_visits(1500)))
        assert gleis(folder, "predict", str(rows)).code == 0
        said = gleis(folder, "monitor")
        assert "alarm" in said.out, said.err
        assert [body["event"] for body in hook.bodies] == ["test", "alarm"]
        gleis(folder, "alarms", "resolve", "drift", "--note", "spring")
        gleis(folder, "monitor")
        assert [body["event"] for body in hook.bodies] == ["test", "alarm", "resolved"]
        hook.answers = [(404, {}, b"gone")]
        said = gleis(folder, "alarms", "test", "--json")
        assert (said.code, said.json[0]["outcome"]) == (1, "refused")
        assert "T0K3N" not in said.out


def test_a_backtest_tells_nobody(folder, monkeypatch):
    with Hook() as hook:
        monkeypatch.setenv("GLEIS_ALARMS__WEBHOOK", f'["{hook.url}"]')
        said = gleis(folder, "backtest", "--since", "2024-02-21", "--until", "2024-03-05", "--json")
        assert said.code == 0, said.err
        own = next(p for p in said.json["policies"] if p["policy"] == "project")
        assert own["alarms"]
        assert hook.posts == []


def _version(client):
    try:
        return client.get("/readyz").json().get("version")
    except (httpx.TransportError, ValueError):
        return None
