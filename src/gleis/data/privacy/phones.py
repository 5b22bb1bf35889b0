"""Telephone numbers: written as such, or they are any digits."""

from __future__ import annotations

import re

_CODES = """
20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66
81 82 84 86 90 91 92 93 94 95 98
21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99
"""
"""First two digits of the country codes in use beside 1 and 7 (ITU-T E.164, annex); those of the
last line have three."""
_COUNTRIES = frozenset(_CODES.split())
_NATIONAL = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:1[ .-])?\(?[2-9]\d\d\)?[ .-][2-9]\d\d[.-]\d{4}",  # North America
        r"\(?0[1-9]\d{1,4}\)?[ /-]\d{3,8}(?:[ -]\d{1,5}){0,3}",  # Germany, Austria, Switzerland
        r"0[1-9](?:[ .]\d\d){4}",  # France
        r"0\d{2,4} \d{3,4} \d{3,4}",  # United Kingdom
    )
)


def is_phone(text: str) -> bool:
    """Say whether a text is a telephone number: E.164 with ``+``, or a common national form.

    Digits alone never are: any order number would be one. An international number begins with
    ``+`` (or ``00`` and a separator later on) and a country code that is in use, and has 8 to 15
    digits; a national one has separators and 9 to 12.

    Examples
    --------
    >>> is_phone("+49 30 901820"), is_phone("030 / 901820"), is_phone("030901820")
    (True, True, False)
    >>> is_phone("(212) 555-0199"), is_phone("2013-04-01")
    (True, False)
    """
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        return 8 <= len(digits) <= 15 and _has_country(digits)
    if text.startswith("00"):
        return digits != text and 10 <= len(digits) <= 17 and _has_country(digits[2:])
    tight = re.sub(r" ?([/-]) ?", r"\1", text)
    return 9 <= len(digits) <= 12 and any(form.fullmatch(tight) for form in _NATIONAL)


def _has_country(digits: str) -> bool:
    return digits[0] in ("1", "7") or digits[:2] in _COUNTRIES
