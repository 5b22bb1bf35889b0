from __future__ import annotations

import random
from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest
import stdnum.iban
import stdnum.luhn
from scipy.stats import binom

from gleis.data.privacy.scan import binomial_tail, scan


def _cards(count, seed=0):
    rng = random.Random(seed)
    heads = ["4" + "".join(rng.choices("0123456789", k=14)) for _ in range(count)]
    return [head + stdnum.luhn.calc_check_digit(head) for head in heads]


def _ibans(count, seed=0):
    rng = random.Random(seed)
    bodies = ["".join(rng.choices("0123456789", k=18)) for _ in range(count)]
    return [f"DE{stdnum.iban.calc_check_digits('DE00' + body)}{body}" for body in bodies]


def _found(frame, **options):
    return {(each.column, each.kind) for each in scan(frame, **options).found}


def test_values_prove_what_a_name_need_not_say():
    cards = _cards(40)
    frame = pl.DataFrame(
        {
            "a": ["please call", "write to anna.kern@example.org", None, "-"] * 10,
            "b": _ibans(40),
            "c": [f"{one[:4]} {one[4:8]} {one[8:12]} {one[12:]}" for one in cards],
            "d": [int(one) for one in cards],
            "e": [f"10.0.{i}.7" for i in range(20, 60)],
            "f": [f"2001:db8::{i:x}" for i in range(40)],
            "g": [f"0171-12345{i}" for i in range(10, 50)],
        }
    )
    assert _found(frame) == {
        ("a", "email"),
        ("b", "iban"),
        ("c", "card"),
        ("d", "card"),
        ("e", "ipv4"),
        ("f", "ipv6"),
        ("g", "phone"),
    }


def test_random_digits_are_nobody():
    """Of 60 columns of random or running numbers none is taken for people."""
    rng = np.random.default_rng(0)
    columns = {}
    for i in range(10):
        columns[f"visa{i}"] = rng.integers(4 * 10**15, 5 * 10**15, 1500)
        columns[f"eleven{i}"] = rng.integers(10**10, 10**11, 1500)
        columns[f"fifteen{i}"] = rng.integers(10**14, 3 * 10**14, 1500)
        columns[f"running{i}"] = np.arange(1500) + 44_051_401_350 + 10**6 * i
        columns[f"text{i}"] = rng.integers(10**15, 9 * 10**15, 1500).astype(str)
        columns[f"dated{i}"] = 80_010_100_000 + rng.integers(0, 10**5, 1500)
    assert scan(pl.DataFrame(columns)).found == ()


def test_some_among_random_ones_are_found():
    random_ones = np.random.default_rng(1).integers(4 * 10**15, 5 * 10**15, 700).tolist()
    frame = pl.DataFrame({"number": random_ones + [int(one) for one in _cards(300)]})
    (found,) = scan(frame).found
    assert found.kind == "card"
    assert found.candidates == 1000
    assert 300 <= found.values <= 420
    assert found.p_value < 1e-6


def test_a_value_that_repeats_is_one_piece_of_evidence():
    frame = pl.DataFrame({"number": [4111111111111111] * 5000})
    assert scan(frame).findings == ()


def test_what_looks_like_it_and_is_not():
    frame = pl.DataFrame(
        {
            "version": ["1.2.3.4", "1.10.2.0"] * 20,
            "clock": ["12:30:45", "08:00:00"] * 20,
            "day": ["2013-04-01", "2014-05-02"] * 20,
            "flight": [f"UA{i}-EWR-20130101" for i in range(40)],
            "hash": [f"{i:040x}" for i in range(10**30, 10**30 + 40)],
            "uuid": [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{i:02d}" for i in range(40)],
            "price": ["1,234,567.89", "-4111.11"] * 20,
            "handle": ["@anna", "a@b"] * 20,
        }
    )
    assert scan(frame).findings == ()


def test_birth_dates_need_a_name_and_plausible_years():
    born = [datetime(1950 + i, 5, 1, tzinfo=UTC) for i in range(30)]
    frame = pl.DataFrame(
        {"birthdate": born, "opened": born, "dob": [t.strftime("%Y-%m-%d") for t in born]}
    )
    assert _found(frame) == {("birthdate", "birth_date"), ("dob", "birth_date")}
    empires = pl.DataFrame({"birth": [datetime(1500 + i, 5, 1, tzinfo=UTC) for i in range(30)]})
    assert [each.level for each in scan(empires).findings] == ["possible"]


def test_a_name_alone_is_only_possible():
    seen = scan(pl.DataFrame({"religion": [1, 2], "latitude": [48.1, 52.5]}))
    assert {(each.kind, each.level) for each in seen.findings} == {
        ("special", "possible"),
        ("coordinates", "possible"),
    }


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int16, pl.Int32, pl.Int64])
def test_small_integers_hold_nobody(kind):
    frame = pl.DataFrame({"late": pl.Series([1, 0, None, 100], dtype=kind), "no": [None] * 4})
    assert scan(frame).findings == ()
    assert scan(frame.clear()).findings == ()


def test_a_sample_says_what_it_may_miss():
    frame = pl.DataFrame({"note": ["a@example.org", *["nothing"] * 29_999]})
    sampled, whole = scan(frame, sample=5000), scan(frame, sample=None)
    assert sampled.scanned == 5000
    assert sampled.missed == pytest.approx(0.999**5000)
    assert sampled.found == ()  # 1 row of 30,000: seed 0 does not draw it
    assert whole.missed == 0.0
    assert [each.kind for each in whole.found] == ["email"]
    assert scan(frame, sample=5000) == sampled


def test_no_value_leaves_the_scan():
    secrets = ["anna.kern@example.org", *_ibans(3), *_cards(20)]
    told = msgspec.json.encode(scan(pl.DataFrame({"x": secrets}))).decode()
    assert not any(secret in told for secret in secrets)
    assert "a•••.••••@•••••••.•••" in told


@pytest.mark.parametrize("tried", [1, 7, 200, 1000])
def test_binomial_tail_is_exact(tried):
    for passed in {0, 1, tried // 3, tried}:
        wanted = binom.sf(passed - 1, tried, 0.1) if passed > tried * 0.1 else 1.0
        assert binomial_tail(passed, tried, 0.1) == pytest.approx(wanted, rel=1e-9)


def test_binomial_tail_of_many_is_a_bound():
    for passed in (600, 800, 5000):
        assert binomial_tail(passed, 5000, 0.1) >= binom.sf(passed - 1, 5000, 0.1)
