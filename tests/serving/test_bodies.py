from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import MalformedError, TooLargeError
from gleis.serving.bodies import ClientGoneError, read_body, read_items


class Wire:
    """Hands out chunks as a server would, and counts how many were asked for."""

    def __init__(self, *chunks: bytes, gone: bool = False) -> None:
        self.events = [
            {"type": "http.request", "body": chunk, "more_body": gone or i < len(chunks) - 1}
            for i, chunk in enumerate(chunks)
        ]
        if gone:
            self.events.append({"type": "http.disconnect"})
        self.asked = 0

    async def receive(self):
        self.asked += 1
        return self.events[self.asked - 1]


def body(wire, limit=100, headers=()):
    return asyncio.run(read_body(headers, wire.receive, limit))


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_chunks_are_joined(chunks):
    assert body(Wire(*chunks)) == b"".join(chunks)


def test_a_declared_length_over_the_limit_is_refused_unread():
    wire = Wire(b"x" * 200)
    with pytest.raises(TooLargeError, match="200"):
        body(wire, headers=[(b"content-length", b"200")])
    assert wire.asked == 0


def test_a_stream_over_the_limit_is_refused_as_soon_as_it_is():
    wire = Wire(*[b"x" * 60] * 50)
    with pytest.raises(TooLargeError):
        body(wire)
    assert wire.asked == 2


def test_exactly_the_limit_is_served():
    assert len(body(Wire(b"x" * 100), headers=[(b"content-length", b"100")])) == 100


def test_a_client_that_leaves_is_not_half_read():
    with pytest.raises(ClientGoneError):
        body(Wire(b'{"a":', gone=True))


@pytest.mark.parametrize(
    ("content", "items", "single"),
    [
        (b'{"a": 1}', [{"a": 1}], True),
        (b'[{"a": 1}, 3]', [{"a": 1}, 3], False),
        (b'{"rows": [{"a": 1}]}', [{"a": 1}], False),
        (b'{"rows": []}', [], False),
        (b'{"rows": 3, "a": 1}', [{"rows": 3, "a": 1}], True),
    ],
)
def test_one_or_many(content, items, single):
    assert read_items(content, "rows") == (items, single)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b"NaN",
        b'{"a": NaN}',
        b"1e400",
        b"\xff\xfe",
        b'"\xff"',
        b"[" * 100_000,
        b"1" * 5_000,
        b'"\\ud800"',
        b"null",
        b"3",
        b'"text"',
        b'{"rows": 3}',
        b'{"rows": null}',
        b'{"rows": [], "more": 1}',
    ],
)
def test_what_is_not_json_or_not_rows_is_refused(content):
    with pytest.raises(MalformedError) as caught:
        read_items(content, "rows")
    assert caught.value.remedy


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | JSON.map(msgspec.json.encode))
def test_nothing_but_a_malformed_error_comes_out(content):
    try:
        items, _ = read_items(content, "rows")
    except MalformedError:
        return
    assert isinstance(items, list)
