"""The check digits of numbers that name a person, an account or a card."""

from __future__ import annotations

import re

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_CODICE_ODD = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
"""What letters count at the first, third, ... place; the digits 0 to 9 count as A to J."""
_PESEL = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
_CENTURIES = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}

IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
"""Characters of an IBAN by country, as the SWIFT IBAN registry lists them."""


def is_luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of ISO/IEC 7812-1, annex B (Luhn).

    Examples
    --------
    >>> is_luhn("4111111111111111"), is_luhn("4111111111111112")
    (True, False)
    """
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(value - 9 * (value > 9) for value in doubled)
    return total % 10 == 0


def is_issued(digits: str) -> bool:
    """Say whether digits are in a range that issuers of payment cards use.

    Visa 4 (13, 16, 19 digits), Mastercard 51-55 and 2221-2720 (16), American Express 34, 37 (15),
    Discover 6011, 644-649, 65 (16 to 19), Diners 300-305, 36, 38, 39 (14), JCB 3528-3589 (16),
    UnionPay 62 (16 to 19).
    """
    size, two, three, four = len(digits), digits[:2], digits[:3], int(digits[:4])
    if size == 16:
        own = 2221 <= four <= 2720 or "51" <= two <= "55" or 3528 <= four <= 3589
    else:
        own = (size == 15 and two in ("34", "37")) or (
            size == 14 and ("300" <= three <= "305" or two in ("36", "38", "39"))
        )
    visa = digits[0] == "4" and size in (13, 16, 19)
    long = 16 <= size <= 19 and (four == 6011 or "644" <= three <= "649" or two in ("65", "62"))
    return own or visa or long


def is_iban(text: str) -> bool:
    """Say whether letters and digits, without blanks, are an IBAN: ISO 13616, ISO 7064 MOD 97-10.

    Examples
    --------
    >>> is_iban("DE89370400440532013000"), is_iban("DE89370400440532013001")
    (True, False)
    """
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def is_steuer_id(digits: str) -> bool:
    """Say whether eleven digits, `shaped_as_steuer_id`, pass the check of ISO 7064 MOD 11,10.

    Examples
    --------
    >>> is_steuer_id("36574261809"), is_steuer_id("36574261808")
    (True, False)
    """
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def shaped_as_steuer_id(digits: str) -> bool:
    """Say whether eleven digits are made like a German tax id (§ 139b AO).

    Among the first ten, one digit stands twice or three times, three not in a row, and no other
    more than once.
    """
    head = digits[:10]
    counts = sorted(head.count(digit) for digit in set(head))
    if head[0] == "0" or counts[-1] not in (2, 3) or counts[-2] > 1:
        return False
    return counts[-1] == 2 or re.search(r"(\d)\1\1", head) is None


def is_pesel(digits: str) -> bool:
    """Say whether eleven digits, `dated_as_pesel`, have the check digit of a Polish PESEL.

    Weights 1, 3, 7, 9, modulo 10 (Act on population registration of 2010, art. 15).

    Examples
    --------
    >>> is_pesel("44051401359"), is_pesel("44051401358")
    (True, False)
    """
    total = sum(int(digit) * weight for digit, weight in zip(digits, _PESEL, strict=False))
    return -total % 10 == int(digits[10])


def dated_as_pesel(digits: str) -> bool:
    """Say whether the first six of eleven digits are a date, its century in the month."""
    month, day = int(digits[2:4]), int(digits[4:6])
    year = _CENTURIES.get(month // 20, 0) + int(digits[:2])
    return 1 <= day <= _days(year, month % 20)


def _days(year: int, month: int) -> int:
    """Return the days of a month, 0 if there is none."""
    if not 1 <= month <= 12:
        return 0
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 + leap if month == 2 else 30 if month in (4, 6, 9, 11) else 31


def is_nir(text: str) -> bool:
    """Say whether fifteen characters are a French NIR: its key is 97 less the rest modulo 97.

    Corsica's departments 2A and 2B count as 19 and 18 (Décret 82-103).

    Examples
    --------
    >>> is_nir("295109912611193"), is_nir("295109912611199")
    (True, False)
    """
    body = text[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(text[13:])


def is_nif(text: str) -> bool:
    """Say whether nine characters are a Spanish DNI or NIE: a letter by the number modulo 23.

    X, Y and Z at the front of a NIE count as 0, 1 and 2 (Real Decreto 1553/2005).

    Examples
    --------
    >>> is_nif("54362315K"), is_nif("X2482300W"), is_nif("54362315A")
    (True, True, False)
    """
    number = text[:8].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(number) % 23] == text[8]


def is_codice_fiscale(text: str) -> bool:
    """Say whether sixteen characters are an Italian codice fiscale: its last letter checks.

    By the tables of the Decreto ministeriale of 23 December 1976, modulo 26.

    Examples
    --------
    >>> is_codice_fiscale("RSSMRA85T10A562S"), is_codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    counts = [int(one) if one.isdigit() else ord(one) - ord("A") for one in text[:15]]
    total = sum(_CODICE_ODD[one] for one in counts[::2]) + sum(counts[1::2])
    return total % 26 == ord(text[15]) - ord("A")


def is_ssn(digits: str) -> bool:
    """Say whether nine digits may be a US social security number; it has no check digit.

    Area not 000, 666 or from 900 on, group not 00, serial not 0000 (Social Security
    Administration, since 2011), and none of the numbers known from advertisements.

    Examples
    --------
    >>> is_ssn("536904399"), is_ssn("666904399"), is_ssn("078051120")
    (True, False, False)
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    known = digits in ("078051120", "219099999", "457555462")
    return not (
        known or area in ("000", "666") or area >= "900" or group == "00" or serial == "0000"
    )


def is_nino(text: str) -> bool:
    """Say whether nine characters may be a UK national insurance number; it has no check digit.

    HMRC, NIM39110: not D, F, I, Q, U, V in front, nor O as the second letter; some pairs are never
    given out.

    Examples
    --------
    >>> is_nino("HH207261C"), is_nino("GB207261C")
    (True, False)
    """
    pair = text[:2]
    if pair in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
        return False
    return pair[0] not in "DFIQUV" and pair[1] not in "DFIOQUV"
