from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from gleis.contracts.erasure import KIND, Erasure
from gleis.contracts.errors import StoreError
from gleis.data.erasing.messages import without_named
from gleis.data.erasing.subjects import FILE, Subjects
from gleis.store.home import Home

NOW = datetime(2013, 1, 1, tzinfo=UTC)
UUID_ = str(UUID(int=7))
IDS = ["12", "j-7", "jané.doe@mail.x.org", UUID_, "Jane Doe", "+49 30 1", "a/b", "Zoë", "#9"]


@pytest.fixture
def home(tmp_path):
    found = Home(tmp_path / "state")
    found.create()
    yield found
    found.close()


def erase(home, subject):
    record = Erasure(id=subject, subject=Subjects(home.keys).digest(subject), at=NOW, by="me")
    home.facts.append(KIND, record.id, msgspec.json.encode(record), NOW)


@pytest.mark.parametrize("subject", IDS)
def test_a_message_that_names_an_erased_subject_is_found_however_it_is_broken(home, subject):
    erase(home, subject)
    whole = {"who": subject, "n": "x", "more": [1, "other"]}
    named = [
        json.dumps(whole).encode(),
        json.dumps(whole, ensure_ascii=False).encode(),
        json.dumps(whole)[:-9].encode(),
        f"who={subject};n=x".encode(),
        json.dumps(whole, ensure_ascii=False).encode("latin-1"),
        json.dumps({"deep": [{"er": [subject]}]}).encode(),
    ]
    assert without_named(named, home) == [False] * len(named)
    others = [b"", b"no row", b"\xff\xfe", b'{"who": "013", "n": 120}', b'{"who": "j-70"']
    assert without_named(others, home) == [True] * len(others)


def test_where_nobody_was_erased_every_message_stays(home):
    assert without_named([b"12"], home) == [True]
    assert not (home.keys / FILE).exists(), "and no key is made"


def test_without_the_key_nothing_is_kept(home):
    erase(home, "12")
    (home.keys / FILE).unlink()
    with pytest.raises(StoreError, match="the key to recognise them is not here"):
        without_named([b"12"], home)
