from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import gleis.serving.protocols.documenting as documenting

FOLDER = Path(documenting.__file__).parent / "swagger"


def test_the_page_asks_for_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    for link in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert link.startswith(("docs/", "data:"))
    assert not re.search(r"<script>|<style|style=|onload", page.text)


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "start.js"])
def test_its_files_are_served_as_they_are(client, name):
    reply = client.get(f"/docs/{name}")
    assert reply.status_code == 200
    assert reply.content == (FOLDER / name).read_bytes()
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["README.md", "page.html", "..%2Fhttp.py", "%2e%2e", "nothing"])
def test_no_other_file_is(client, name):
    assert client.get(f"/docs/{name}").status_code == 404


def test_swagger_ui_is_the_one_of_the_note():
    table = re.findall(r"^\| `(\S+)` \| `(\w{64})` \|$", (FOLDER / "README.md").read_text(), re.M)
    assert len(table) == 2
    for name, digest in table:
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
