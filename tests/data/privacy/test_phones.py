from __future__ import annotations

import pytest

from gleis.data.privacy.phones import is_phone


@pytest.mark.parametrize(
    "text",
    [
        "+49 30 901820",
        "+1 212 555 0199",
        "+33 1 42 68 53 00",
        "0049 30 901820",
        "030 / 90182-0000",
        "0171-1234567",
        "(212) 555-0199",
        "212-555-0199",
        "01 42 68 53 00",
        "020 7946 0958",
    ],
)
def test_is_one(text):
    assert is_phone(text)


@pytest.mark.parametrize(
    "text",
    [
        "2125550199",  # any order number
        "00493090182000",  # zeros in front of any number
        "+28 1234 5678",  # no such country
        "+49 30",
        "2013-04-01",
        "12-345-6789",
        "123-45-6789",
        "112-555-0199",  # no area code begins with 1
    ],
)
def test_is_none(text):
    assert not is_phone(text)
