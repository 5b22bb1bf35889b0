"""Only OSI-approved licences: every pinned dependency that is installed here is looked at."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

PINS = (Path(__file__).parents[1] / "requirements" / "core.txt").read_text()
NAMES = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", PINS, re.MULTILINE)
APPROVED = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|0?BSD|Apache|PSF|Python Software Foundation|ISC|Zlib|LGPL|MPL|Mozilla"
    r"|OSI Approved)\b"
)
# Metadata without a licence; read in the sources.
READ = {"huey": "MIT", "sigstore-models": "MIT"}
FOREIGN = {"colorama", "pywin32", "waitress"}
"""For Windows only."""


def licence(name: str) -> str:
    found = metadata.metadata(name)
    classifiers = [c for c in found.get_all("Classifier") or [] if c.startswith("License ::")]
    named = found.get("License-Expression") or "; ".join(classifiers)
    return named or (found.get("License") or "")[:100] or READ.get(name, "")


@pytest.mark.parametrize("name", sorted(set(NAMES) - FOREIGN))
def test_licence_is_approved(name):
    text = licence(name)
    assert APPROVED.search(text), f"{name}: {text!r} is not known to be OSI-approved"
    assert not re.search(r"\bA?GPL\b|Business Source|BUSL|SSPL|Elastic", text)


def test_no_pin_names_an_index():
    for path in Path(__file__).parents[1].joinpath("requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert "--" not in text
