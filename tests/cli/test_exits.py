from __future__ import annotations

import inspect

import pytest

from gleis.cli.exits import BLOCKED, USAGE, exit_code
from gleis.contracts import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.GleisError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_failing_exit_code_below_the_shells_own(kind):
    assert 0 < exit_code(kind("x")) < 126


def test_kinds_can_be_told_apart():
    children = errors.GleisError.__subclasses__()
    codes = {exit_code(kind("x")) for kind in children}
    assert len(codes) == len(children)


def test_the_two_everybody_knows():
    assert exit_code(errors.BlockedError("x")) == BLOCKED == 1
    assert exit_code(errors.ConfigError("x")) == USAGE == 2


def test_a_kind_of_request_error_is_a_request_error():
    assert exit_code(errors.InvalidRowError("x")) == exit_code(errors.RequestError("x"))
