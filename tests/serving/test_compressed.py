from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_packages import ROW

from gleis.contracts.errors import MalformedError, TooLargeError
from gleis.serving.compressed import inflate
from gleis.serving.routes import encode


def bare(body):
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


WAYS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@given(st.binary(max_size=200), st.sampled_from([*WAYS.items(), ("deflate", bare)]))
def test_what_was_compressed_comes_back(body, way):
    name, compress = way
    assert inflate(compress(body), name.encode(), 200) == body


def test_members_of_a_gzip_file_follow_one_another():
    assert inflate(gzip.compress(b"ab", mtime=0) + gzip.compress(b"cd"), b"GZIP", 4) == b"abcd"


def test_a_bomb_is_refused_at_the_limit():
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLargeError):
        inflate(bomb, b"gzip", 1000)
    with pytest.raises(TooLargeError):
        inflate(gzip.compress(bytes(600)) * 2, b"gzip", 1000)
    assert len(inflate(gzip.compress(bytes(1000)), b"gzip", 1000)) == 1000


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", b"gzip"),
        (b"{}", b"deflate"),
        (gzip.compress(b"{}", mtime=0)[:-5], b"gzip"),
        (zlib.compress(b"{}")[:-5], b"deflate"),
        (b"{}", b"br"),
    ],
)
def test_damaged_or_unknown(body, encoding):
    with pytest.raises(MalformedError) as caught:
        inflate(body, encoding, 100)
    assert caught.value.remedy


def test_every_protocol_takes_it(client):
    headers = {"Content-Encoding": "gzip"}
    reply = client.post("/predict", content=gzip.compress(encode(ROW)), headers=headers)
    assert reply.json()["score"] == 0.625
    bomb = gzip.compress(b" " * 5_000_000, mtime=0)
    assert client.post("/predict", content=bomb, headers=headers).status_code == 413
