"""Check digits against python-stdnum, and against what chance would let through."""

from __future__ import annotations

import random
import re
import string

import pytest
import stdnum.de.idnr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fr.nir
import stdnum.iban
import stdnum.it.codicefiscale
import stdnum.luhn
import stdnum.pl.pesel
import stdnum.us.ssn

from gleis.data.privacy import checksums
from gleis.data.privacy.kinds import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


def _drawn(kind, count, seed=0):
    """Random strings of the forms that a kind has, most of them no valid ones."""
    rng = random.Random(seed)
    digits = {"card": (13, 19), "steuer_id": (11, 11), "nir": (15, 15), "pesel": (11, 11)}
    for _ in range(count):
        if kind == "iban":
            country = rng.choice(sorted(checksums.IBAN_LENGTHS))
            size = checksums.IBAN_LENGTHS[country] - 2
            yield country + "".join(rng.choices(string.digits, k=size))
        elif kind == "nif":
            front = rng.choice("0123456789XYZ")
            yield (
                front
                + "".join(rng.choices(string.digits, k=7))
                + rng.choice("TRWAGMYFPDXBNJZSQVHLCKE")
            )
        elif kind == "codice_fiscale":
            letters = "".join(rng.choices(string.ascii_uppercase, k=8))
            number = "".join(rng.choices(string.digits, k=7))
            yield f"{letters[:6]}{number[:2]}T{number[2:4]}{letters[6]}{number[4:7]}{letters[7]}"
        else:
            yield "".join(rng.choices(string.digits, k=rng.randint(*digits[kind])))


@pytest.mark.parametrize(
    "name", ["card", "iban", "steuer_id", "nir", "nif", "pesel", "codice_fiscale"]
)
def test_random_digits_pass_at_the_rate_that_is_stated(name):
    kind = BY_NAME[name]
    candidates = [
        read
        for text in _drawn(name, 40_000)
        if (found := re.search(kind.form, text)) and (read := kind.read(found[1])) is not None
    ]
    passed = sum(map(kind.check, candidates))
    expected = len(candidates) * kind.chance
    assert len(candidates) > 1000
    assert abs(passed - expected) < 4.5 * (expected * (1 - kind.chance)) ** 0.5


def test_luhn_and_iban_say_what_stdnum_says():
    rng = random.Random(1)
    for _ in range(2000):
        digits = str(rng.randrange(10**12, 10**19))
        assert checksums.is_luhn(digits) == stdnum.luhn.is_valid(digits)
    for text in _drawn("iban", 3000, seed=2):
        with_check = text[:2] + stdnum.iban.calc_check_digits(text) + text[4:]
        assert checksums.is_iban(with_check)
        # stdnum knows the letters of some countries' accounts, and their own check digits.
        assert checksums.is_iban(text) or not stdnum.iban.is_valid(text, check_country=False)


def test_tax_numbers_say_what_stdnum_says():
    for text in _drawn("steuer_id", 20_000, seed=3):
        ours = checksums.shaped_as_steuer_id(text) and checksums.is_steuer_id(text)
        in_a_row = re.search(r"(\d)\1\1", text[:10]) is not None  # stdnum lets it through
        assert ours == (stdnum.de.idnr.is_valid(text) and not in_a_row)
    for text in _drawn("pesel", 20_000, seed=4):
        ours = checksums.dated_as_pesel(text) and checksums.is_pesel(text)
        assert ours == stdnum.pl.pesel.is_valid(text), text
    for text in _drawn("nif", 3000, seed=5):
        theirs = stdnum.es.nie if text[0] in "XYZ" else stdnum.es.dni
        assert checksums.is_nif(text) == theirs.is_valid(text)
    for text in ("295109912611193", "295102A12611193", "253072B07300443", "253072B07300470"):
        assert checksums.is_nir(text) == stdnum.fr.nir.is_valid(text)
    rng = random.Random(6)
    for _ in range(3000):
        digits = "".join(rng.choices(string.digits, k=9))
        assert checksums.is_ssn(digits) == stdnum.us.ssn.is_valid(digits)


@pytest.mark.parametrize(
    ("digits", "issued"),
    [
        ("4111111111111111", True),
        ("5500005555555559", True),
        ("2221000000000009", True),
        ("340000000000009", True),
        ("6011000000000004", True),
        ("30000000000004", True),
        ("9111111111111111", False),
        ("411111111111111", False),  # no Visa has 15 digits
        ("2220990000000000", False),
    ],
)
def test_cards_are_in_ranges_that_issuers_use(digits, issued):
    assert checksums.is_issued(digits) is issued


def test_national_insurance_numbers_have_prefixes_that_are_given_out():
    assert checksums.is_nino("AB123456C")
    for text in ("GB123456C", "QA123456C", "AO123456C"):
        assert not checksums.is_nino(text)


def test_codice_fiscale_says_what_stdnum_says():
    candidates = list(_drawn("codice_fiscale", 3000))
    candidates += [
        one[:-1] + stdnum.it.codicefiscale.calc_check_digit(one[:-1]) for one in candidates
    ]
    for one in candidates:
        expected = stdnum.it.codicefiscale.calc_check_digit(one[:-1]) == one[-1]
        assert checksums.is_codice_fiscale(one) == expected
