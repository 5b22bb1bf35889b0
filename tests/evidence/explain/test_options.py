from __future__ import annotations

import pytest

from gleis.contracts.errors import InvalidRowError
from gleis.evidence.explain.options import check_number, check_share, check_whole


def test_good_options_pass():
    check_whole("count", 1, 1)
    check_share("kept", 0)
    check_share("precision", 0.95, above=True)
    check_number("alpha", 0, least=0)


@pytest.mark.parametrize("value", [0, True, 1.0, "1", None])
def test_no_whole_number(value):
    with pytest.raises(InvalidRowError, match="count is no whole number of 1 or more"):
        check_whole("count", value, 1)


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, True, "0.5", None, float("nan")])
def test_no_share(value):
    with pytest.raises(InvalidRowError, match="kept is no share"):
        check_share("kept", value)


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan"), "1", False])
def test_no_number(value):
    with pytest.raises(InvalidRowError, match="alpha is no number of 0 or more"):
        check_number("alpha", value, least=0)
