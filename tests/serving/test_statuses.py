from __future__ import annotations

import inspect

import msgspec
import pytest

from gleis.contracts import errors
from gleis.serving.statuses import body_of, status_of

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.GleisError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_status_and_a_body(kind):
    error = kind("It failed", seen=3, remedy="Mend it.", field="x")
    status = status_of(error)
    assert 400 <= status < 600
    assert (status < 500) == isinstance(error, errors.RequestError)
    assert msgspec.json.decode(msgspec.json.encode(body_of(error))) == {
        "error": {"what": "It failed", "seen": "3", "field": "x", "remedy": "Mend it."}
    }


def test_the_statuses_the_error_tree_promises():
    assert status_of(errors.MalformedError("")) == 400
    assert status_of(errors.TooLargeError("")) == 413
    assert status_of(errors.InvalidRowError("")) == 422
    assert status_of(errors.UnavailableError("")) == 503
