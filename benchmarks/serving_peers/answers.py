"""What each server answers to rows that are wrong."""

from __future__ import annotations

from typing import Any

from measure.server_process import ServerProcess
from serving_peers.catalogue import Contender, as_line

RIGHT = {
    "carrier": "UA",
    "origin": "EWR",
    "dest": "IAH",
    "hour": 5,
    "minute": 15,
    "weekday": 2,
    "distance": 1400,
    "visib": 10.0,
    "temp": 39.0,
    "dewp": 26.0,
    "humid": 59.4,
    "wind_dir": 270,
    "wind_speed": 10.4,
    "wind_gust": None,
    "precip": 0.0,
    "pressure": 1012.0,
}
"""A flight of January: nothing in it is new to the model."""
WRONG = {
    "missing column": lambda row: {key: row[key] for key in row if key != "distance"},
    "string in a number": lambda row: row | {"distance": "far"},
    "weekday 13": lambda row: row | {"weekday": 13},
    "distance 1e12": lambda row: row | {"distance": 10**12},
}


def ask_wrong(contender: Contender, server: ServerProcess) -> dict[str, dict[str, Any]]:
    """Post each wrong row; return status, the named field and the flags, where there are some.

    A connection that closes without an answer has the status 0.
    """
    found = {}
    for name, spoil in WRONG.items():
        try:
            status, answer = server.ask(contender.path, as_line(contender.one([spoil(RIGHT)])), 10)
        except OSError as error:
            found[name] = {"status": 0, "error": str(error)}
            continue
        found[name] = {"status": status, **_told(answer)}
    return found


def _told(answer: Any) -> dict[str, Any]:
    """Return what an answer of gleis says beyond its status."""
    if not isinstance(answer, dict):
        return {}
    error = answer.get("error")
    if isinstance(error, dict) and error.get("field"):
        return {"field": error["field"]}
    return {"flags": answer["flags"]} if answer.get("flags") else {}
