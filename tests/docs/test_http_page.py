"""The examples of docs/http.md are what the service answers."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path

import httpx
import pytest

from gleis.lifecycle.new_project import make_project
from gleis.lifecycle.project import Project
from gleis.lifecycle.service_process import make_app
from gleis.store.lock import PRESENCE

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


CHANGING = {"prediction_id", "digest", "at", "asked", "see"}
A_REQUEST = re.compile(r"\d{8}T\d{6}-asked-\d+")


def words(command):
    """Split a command as bash does, $'...' with its line breaks too."""
    plain = re.sub(r"\$'([^']*)'", lambda m: shlex.quote(m[1].replace(r"\n", "\n")), command)
    return shlex.split(plain)


EXAMPLES = [
    (words(command), answer)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, answer in re.findall(r"^\$ (curl .*)\n(.*)$", block, re.MULTILINE)
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "flowers"
    make_project(folder, "iris")
    project = Project.open(folder)
    project.run()
    running = project.home.lock(PRESENCE)
    running.await_take()
    yield make_app(project.settings, project.home, project.clock, project.folder)
    running.release()


def ask(app, command):
    url = next(part for part in command if part.startswith("localhost"))
    content = command[command.index("-d") + 1] if "-d" in command else None
    headers = [command[place + 1].split(": ") for place, word in enumerate(command) if word == "-H"]

    async def send():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            method = "GET" if content is None else "POST"
            return await client.request(
                method, url.removeprefix("localhost:8000"), content=content, headers=headers
            )

    return asyncio.run(send())


def with_ids(real_ids, text):
    for said, real in real_ids.items():
        text = text.replace(said, real)
    return text


def predictions_of(answer):
    return [
        one["prediction_id"]
        for one in answer.get("predictions", [answer])
        if isinstance(one, dict) and "prediction_id" in one
    ]


def same(said, real):
    if isinstance(said, dict):
        return said.keys() == real.keys() and all(
            key in CHANGING or same(said[key], real[key]) for key in said
        )
    if isinstance(said, list):
        return len(said) == len(real) and all(map(same, said, real))
    if isinstance(said, str) and A_REQUEST.fullmatch(said):
        return bool(A_REQUEST.fullmatch(real))
    return said == (pytest.approx(real, rel=1e-3) if isinstance(said, float) else real)


def test_every_example_is_answered_as_written(app):
    assert len(EXAMPLES) >= 12
    real_ids = {}
    for command, written in EXAMPLES:
        text, status = re.fullmatch(r"(\{.*\})(?: (\d+))?", written).groups()
        wanted = json.loads(with_ids(real_ids, text))
        reply = ask(app, [with_ids(real_ids, part) for part in command])
        assert reply.status_code == int(status or 200), command
        assert same(wanted, reply.json()), (command, reply.text)
        real_ids |= dict(zip(predictions_of(wanted), predictions_of(reply.json()), strict=True))


def test_the_page_names_every_path(app):
    assert set(app._routes.paths) == set(re.findall(r"^\| `(/\S+)` \|", PAGE, re.MULTILINE))


def test_a_wrong_example_would_be_noticed():
    assert not same({"prediction": "setosa"}, {"prediction": "virginica"})
    assert not same({"score": 0.5}, {"score": 0.51})
    assert not same({"flags": []}, {"flags": ["x"]})
