"""Bodies that no client should send: valid ones of every protocol, bent until they break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

ROW = {"distance": 800.0, "temp": 12.5, "hour": 17, "carrier": "UA"}
_NAMED = ROW | {"flight": 1545, "departs_at": "2013-07-04T12:00:00Z"}
_COLUMNS = list(ROW)


def _tensor(name: str, kind: str, *values: Any) -> dict[str, Any]:
    return {"name": name, "datatype": kind, "shape": [len(values)], "data": list(values)}


_SEEDS: dict[str, list[Any]] = {
    "predict": [ROW, _NAMED, {"rows": [ROW, _NAMED]}, [ROW, ROW | {"temp": None}]],
    "labels": [
        {"prediction_id": "1-0-07aeb8cb", "label": 1},
        {"labels": [{"id": 77, "label": "0", "at": "2013-07-05T12:00:00Z"}]},
        [{"id": "78", "label": True}],
    ],
    "infer": [
        {
            "id": "a",
            "inputs": [
                _tensor("distance", "FP64", 800.0, 80.0),
                _tensor("temp", "FP32", 12.5, 1.0),
                _tensor("hour", "INT64", 17, 3),
                _tensor("carrier", "BYTES", "UA", "AA"),
            ],
            "outputs": [{"name": "score", "parameters": {"binary_data": True}}],
        },
        {"inputs": [_tensor(name, "FP64", 1.0) for name in ROW]},
    ],
    "invocations": [
        {"dataframe_split": {"columns": _COLUMNS, "data": [list(ROW.values())]}},
        {"dataframe_records": [ROW]},
        {"instances": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
    ],
}
"""By the word in a route's path that wants them; a route that is not named here gets all."""

_MANY = json.dumps([ROW] * 1001).encode()
_CSV = b"distance,temp,hour,carrier\n800.0,12.5,17,UA\n80,,3,AA\n"
_LITERALS = (
    "NaN", "-Infinity", "1e999", "-1e999", "1e-400", "-0", "0.1e1", "00", "1.", ".5", "0x10",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 400, "9" * 5000,
    "1" + "0" * 310 + ".5", "null", "true", "[]", "{}", '""', '"\\ud800"', '"\\udfff\\ud800"',
    '"\\u0000"', '"\\q"', '"é\x00"', '"' + "x" * 20_000 + '"', "[" * 600, "[" * 60_000,
    '{"a":' * 600 + "1" + "}" * 600, "[" * 900 + "]" * 900, '{"":{"":[null]}}', "[[[[1]]]]",
    '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59.999999-23:59"', '"2013-02-30T00:00:00Z"',
    '"9999999999999-01-01"', '"2013-07-04T12:00:00.123456789123Z"', '"-1"', '"1e5"', '"Infinity"',
    '"../../etc/passwd"', '"\'; DROP TABLE facts; --"', '"{{7*7}}"', '"%s%n%x"', "1e5", "1.5",
    "5", "5.0", "23", '"AA"', '"ZZ"', "80.5", '"2013-07-04"', '"0"', "0", "1", "false",
    "-1", "2147483648", "[1,[2],{}]", "[-1]", "[99999999999]", "[4294967296,4294967296]", "[0]",
)  # fmt: skip
_RAW = (
    b"", b" ", b"\xef\xbb\xbf{}", b"\xff\xfe\x00", b"\x00" * 64, b"\xed\xa0\x80", b"\xc0\xaf",
    b"//", b"'", b'{"a":1}{"b":2}', b"a=1&b=2", b"<xml/>", b"\x1f\x8b\x08\x00", b"PK\x03\x04",
    b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"--x\r\ncontent-disposition: form-data\r\n\r\n",
)  # fmt: skip
_KINDS = (
    b"application/json", b"text/plain", b"text/csv", b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x", b"application/octet-stream", b"", b"\xff/\xff",
    b"application/json; charset=utf-16", b"text/csv; charset=nonsense", b"a" * 2000,
    b"application/vnd.apache.arrow.stream", b"application/x-msgpack",
)  # fmt: skip
_QUERIES = (b"", b"", b"", b"a=b", b"%ff=%00", b"&&&===", b"x=" + b"y" * 3000)
_MARK = "@the place@"


class Mutant(NamedTuple):
    """One request that should not be."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    query: bytes
    chunks: int
    """Pieces in which the body arrives."""
    leaves: bool
    """Whether the client goes away before the last piece."""


def mutant(draw: Random, path: str) -> Mutant:
    """Return a request for a route, mostly nearly right; the same draws make the same one."""
    every = [seed for several in _SEEDS.values() for seed in several]
    wanted = [seed for word, several in _SEEDS.items() if word in path for seed in several]
    seeds = wanted if wanted and draw.random() < 0.9 else every
    body = _body(draw, seeds)
    likely = (b"application/json", b"text/csv")[draw.random() < 0.2]
    headers = [(b"content-type", likely if draw.random() < 0.7 else draw.choice(_KINDS))]
    if draw.random() < 0.1:
        length = draw.choice((0, 1, len(body) // 2, len(body), len(body) + 1, 2**31, 2**70))
        wild = draw.choice((b"-1", b"abc", b"1e3", b"\xff", b" 7 ", b""))
        text = b"%d" % length if draw.random() < 0.7 else wild
        headers.append((b"inference-header-content-length", text))
    if draw.random() < 0.05:
        headers.append((b"accept", draw.choice(_KINDS)))
    if draw.random() < 0.05:
        headers.append((b"content-encoding", draw.choice((b"gzip", b"br", b"deflate", b"x"))))
    chunks = draw.choice((1, 1, 1, 2, 5))
    return Mutant(body, headers, draw.choice(_QUERIES), chunks, draw.random() < 0.01)


def on_the_wire(draw: Random) -> bytes:
    """Return what goes over a socket: one or two requests with bent lines, lengths and chunks."""
    body = json.dumps(draw.choice((ROW, [ROW, ROW], {"id": 1, "label": 1}))).encode()
    at = draw.randrange(len(body))
    chunked = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        at, body[:at], len(body) - at, body[at:],
    )  # fmt: skip
    path = draw.choice((b"/predict", b"/labels", b"/invocations", b"/v2/models/flights/infer"))
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" % path
    asked = [
        head + b"content-length: %d\r\n\r\n" % len(body) + body,
        head + b"transfer-encoding: chunked\r\n\r\n" + chunked,
        head + b"content-length: %d\r\n\r\n" % draw.choice((0, 3, 10**12)) + body,
    ]
    sent = draw.choice(asked) + (draw.choice(asked) if draw.random() < 0.3 else b"")
    for _ in range(draw.choice((1, 1, 2, 5))):
        sent = _bent(draw, sent, asked)
    return sent


def _body(draw: Random, seeds: list[Any]) -> bytes:
    texts = [json.dumps(one).encode() for one in seeds] + [_CSV]
    kind = draw.random()
    if kind < 0.002:
        return _MANY
    if kind < 0.03:
        return draw.choice(texts)
    if kind < 0.06:
        return draw.choice(_RAW)
    if kind < 0.60:
        body = _replaced(draw, draw.choice(seeds))
        return _bent(draw, body, texts) if draw.random() < 0.15 else body
    if kind < 0.62:
        return json.dumps(draw.choice(seeds)).encode(draw.choice(("utf-16", "utf-32", "utf-16-be")))
    body = draw.choice(texts)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        body = _bent(draw, body, texts)
    return body


def _replaced(draw: Random, content: Any) -> bytes:
    """Put a literal that should not be there in the place of one value, or of one key."""
    copy = json.loads(json.dumps(content))
    places = list(_places(copy))
    holder, key = draw.choice(places)
    literal = draw.choice(_LITERALS)
    way = draw.random()
    if isinstance(holder, dict) and way < 0.15:  # a key twice, or a key that is not text
        text = json.dumps(copy)
        name = json.dumps(key)
        twice = f"{name}: {literal}, {name}:" if way < 0.1 else f"{literal}:"
        return text.replace(f"{name}:", twice, 1).encode("utf-8", "surrogatepass")
    if way < 0.25:
        if isinstance(holder, dict):
            holder.pop(key)
        else:
            holder.extend(holder * draw.choice((0, 1, 30)))
        return json.dumps(copy).encode()
    holder[key] = _MARK
    return json.dumps(copy).replace(json.dumps(_MARK), literal).encode("utf-8", "surrogatepass")


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    keys = content if isinstance(content, dict) else range(len(content))
    for key in list(keys):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from _places(content[key])


def _bent(draw: Random, body: bytes, texts: list[bytes]) -> bytes:
    """Flip, cut, insert, repeat or splice bytes."""
    if not body:
        return draw.choice(_RAW)
    at = draw.randrange(len(body))
    until = min(len(body), at + draw.choice((1, 2, 8, 64)))
    way = draw.randrange(7)
    if way == 0:
        return body[:at] + bytes([body[at] ^ (1 << draw.randrange(8))]) + body[at + 1 :]
    if way == 1:
        return body[:at]
    if way == 2:
        return body[:at] + draw.randbytes(draw.choice((1, 3, 17))) + body[at:]
    if way == 3:
        return body[:at] + body[at:until] * draw.choice((2, 3, 50)) + body[until:]
    if way == 4:
        return body[:at] + body[until:]
    if way == 5:
        other = draw.choice(texts)
        return body[:at] + other[draw.randrange(len(other)) :]
    return body[:at] + draw.choice(_RAW) + body[until:]
