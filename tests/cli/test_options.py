from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.cli.options import parse_flags, parse_moment
from gleis.contracts.errors import ConfigError


def test_flags_are_toml_where_they_can_be():
    flags = ["params.C=0.5", "split.by=time", "evidence.slices=['a']", "gates.r2=>= 0.5"]
    assert parse_flags(flags) == {
        "params.C": 0.5,
        "split.by": "time",
        "evidence.slices": ["a"],
        "gates.r2": ">= 0.5",
    }
    assert parse_flags(None) == {}


@pytest.mark.parametrize("flag", ["params.C", "=3", ""])
def test_a_flag_without_key_or_value_is_refused(flag):
    with pytest.raises(ConfigError, match="KEY=VALUE") as caught:
        parse_flags([flag])
    assert repr(flag) in str(caught.value)


def test_moments_are_utc_unless_they_say_otherwise():
    assert parse_moment("2013-04-01", "--as-of") == datetime(2013, 4, 1, tzinfo=UTC)
    assert parse_moment("2013-04-01T12:00+02:00", "--as-of") == datetime(2013, 4, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "2013-13-01", "01.04.2013"])
def test_another_moment_is_refused(text):
    with pytest.raises(ConfigError, match="--until is not a moment") as caught:
        parse_moment(text, "--until")
    assert text in str(caught.value)
    assert "2013-04-01" in caught.value.remedy
