"""Made columns of people's data and of what only looks like it, each with the kind it is of."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import stdnum.es.dni
import stdnum.es.nie
import stdnum.fr.nir
import stdnum.iban
import stdnum.it.codicefiscale
import stdnum.luhn
import stdnum.pl.pesel
from stdnum.iso7064 import mod_11_10

ROWS = 400
_SPAN = {"DE": 18, "FR": 23, "NL": None, "GB": None, "ES": 20, "AT": 16, "CH": 17}
_NAMES = ("anna", "ben", "carla", "dmitri", "eva", "farid", "greta", "hugo")
_WORDS = ("please", "call", "back", "about", "the", "open", "claim", "of", "last", "week")
_COUNTRIES = ("NL", "GB", "ES", "AT", "CH")


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=count))


def _sentence(rng: random.Random, *, with_: str | None = None) -> str:
    words = rng.choices(_WORDS, k=9)
    if with_ is not None:
        words.insert(rng.randrange(9), with_)
    return " ".join(words)


def _email(rng: random.Random) -> str:
    name = f"{rng.choice(_NAMES)}.{rng.choice(_NAMES)}{rng.randrange(999)}"
    return f"{name}@{rng.choice(('example.org', 'mail.example.com', 'firma.example.de'))}"


def _iban(rng: random.Random, country: str) -> str:
    bodies = {"NL": f"INGB{_digits(rng, 10)}", "GB": f"NWBK{_digits(rng, 14)}"}
    body = bodies.get(country) or _digits(rng, _SPAN[country] or 0)
    return f"{country}{stdnum.iban.calc_check_digits(f'{country}00{body}')}{body}"


def _card(rng: random.Random, head: str = "4", size: int = 16) -> str:
    body = head + _digits(rng, size - len(head) - 1)
    return body + stdnum.luhn.calc_check_digit(body)


def _grouped(text: str, *sizes: int, by: str = " ") -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return by.join(parts)


def _fours(text: str, by: str = " ") -> str:
    return by.join(text[at : at + 4] for at in range(0, len(text), 4))


def _steuer_id(rng: random.Random) -> str:
    while True:
        ten = rng.sample("0123456789", 10)
        gone, twice = rng.sample(range(10), 2)
        ten[gone] = ten[twice]
        if ten[0] != "0":
            return "".join(ten) + mod_11_10.calc_check_digit("".join(ten))


def _pesel(rng: random.Random) -> str:
    born = date(1930, 1, 1) + timedelta(days=rng.randrange(32_000))
    month = born.month + (20 if born.year >= 2000 else 0)
    head = f"{born.year % 100:02d}{month:02d}{born.day:02d}{_digits(rng, 4)}"
    return head + stdnum.pl.pesel.calc_check_digit(head)


def _nir(rng: random.Random) -> str:
    month, place = rng.randrange(1, 13), rng.randrange(1, 95)
    head = f"{rng.choice('12')}{_digits(rng, 2)}{month:02d}{place:02d}{_digits(rng, 6)}"
    return head + stdnum.fr.nir.calc_check_digits(head)


def _nif(rng: random.Random) -> str:
    if rng.random() < 0.3:
        body = rng.choice("XYZ") + _digits(rng, 7)
        return body + stdnum.es.nie.calc_check_digit(body)
    body = _digits(rng, 8)
    return body + stdnum.es.dni.calc_check_digit(body)


def _codice(rng: random.Random) -> str:
    head = (
        f"{_letters(rng, 6)}{_digits(rng, 2)}{rng.choice('ABCDEHLMPRST')}"
        f"{rng.randrange(1, 29):02d}{rng.choice('ABCDEFGHIL')}{rng.randrange(999):03d}"
    )
    return head + stdnum.it.codicefiscale.calc_check_digit(head)


def _ssn(rng: random.Random) -> str:
    area = rng.choice((rng.randrange(1, 666), rng.randrange(667, 900)))
    return f"{area:03d}-{rng.randrange(1, 100):02d}-{rng.randrange(1, 10_000):04d}"


def _nino(rng: random.Random) -> str:
    pair = rng.choice(("AB", "CE", "HH", "JN", "SR", "WL", "YZ"))
    return f"{pair} {_grouped(_digits(rng, 6), 2, 2, 2)} {rng.choice('ABCD')}"


def _ipv4(rng: random.Random) -> str:
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


def _ipv6(rng: random.Random) -> str:
    return ":".join(f"{rng.randrange(65_536):x}" for _ in range(8))


def _day(rng: random.Random) -> datetime:
    return datetime(2013, 1, 1) + timedelta(minutes=rng.randrange(500_000))


def _ean(rng: random.Random) -> str:
    body = "40" + _digits(rng, 10)
    total = sum(int(one) * (3 if at % 2 else 1) for at, one in enumerate(body))
    return body + str(-total % 10)


def _rarely(one: Callable[[random.Random], str], share: float) -> Callable[[random.Random], str]:
    return lambda rng: _sentence(rng, with_=one(rng) if rng.random() < share else None)


PEOPLE: dict[str, tuple[str, Callable[[random.Random], Any]]] = {
    "email": ("contact", _email),
    "email in capitals": ("c1", lambda rng: _email(rng).upper()),
    "email in one sentence of fifty": ("note", _rarely(_email, 0.02)),
    "email with a name": ("c2", lambda rng: f"Anna Kern <{_email(rng)}>"),
    "iban germany": ("account", lambda rng: _iban(rng, "DE")),
    "iban france, in fours": ("a1", lambda rng: _fours(_iban(rng, "FR"))),
    "iban of five countries": (
        "a2",
        lambda rng: _iban(rng, rng.choice(_COUNTRIES)),
    ),
    "iban in one sentence of ten": ("a3", _rarely(lambda rng: _fours(_iban(rng, "DE")), 0.1)),
    "card visa, number": ("paid_with", lambda rng: int(_card(rng))),
    "card mastercard, in fours": ("p1", lambda rng: _fours(_card(rng, "53"))),
    "card amex, hyphens": ("p2", lambda rng: _grouped(_card(rng, "37", 15), 4, 6, 5, by="-")),
    "card in one sentence of ten": ("p3", _rarely(_card, 0.1)),
    "phone germany +49": ("t1", lambda rng: f"+49 {rng.randrange(30, 999)} {_digits(rng, 7)}"),
    "phone germany, national": ("t2", lambda rng: f"0{rng.randrange(150, 179)}/{_digits(rng, 8)}"),
    "phone germany (0)": ("t3", lambda rng: f"+49 (0) 30 {_digits(rng, 6)}-{_digits(rng, 2)}"),
    "phone usa": (
        "t4",
        lambda rng: f"({rng.randrange(201, 989)}) 5{_digits(rng, 2)}-{_digits(rng, 4)}",
    ),
    "phone usa, 1 before": (
        "t5",
        lambda rng: f"1-{rng.randrange(201, 989)}-5{_digits(rng, 2)}-{_digits(rng, 4)}",
    ),
    "phone france": ("t6", lambda rng: f"06 {_grouped(_digits(rng, 8), 2, 2, 2, 2)}"),
    "phone united kingdom": ("t7", lambda rng: f"020 7{_digits(rng, 3)} {_digits(rng, 4)}"),
    "phone united kingdom, mobile": ("t8", lambda rng: f"07{_digits(rng, 3)} {_digits(rng, 6)}"),
    "phone spain": (
        "t9",
        lambda rng: f"+34 6{_digits(rng, 2)} {_digits(rng, 3)} {_digits(rng, 3)}",
    ),
    "phone italy": ("t10", lambda rng: f"+39 3{_digits(rng, 2)} {_digits(rng, 7)}"),
    "phone switzerland": (
        "t11",
        lambda rng: f"044 {_digits(rng, 3)} {_digits(rng, 2)} {_digits(rng, 2)}",
    ),
    "phone poland": ("t12", lambda rng: f"+48 {_grouped(_digits(rng, 9), 3, 3, 3)}"),
    "phone 00": ("t13", lambda rng: f"0043 1 {_digits(rng, 7)}"),
    "phone e.164": ("t14", lambda rng: f"+4477{_digits(rng, 8)}"),
    "steuer_id": ("x1", _steuer_id),
    "steuer_id, in threes": ("x2", lambda rng: _grouped(_steuer_id(rng), 2, 3, 3, 3)),
    "steuer_id, number": ("x3", lambda rng: int(_steuer_id(rng))),
    "pesel": ("x4", _pesel),
    "pesel, number": ("x5", lambda rng: int(_pesel(rng))),
    "nir": ("x6", _nir),
    "nir, in groups": ("x7", lambda rng: _grouped(_nir(rng), 1, 2, 2, 2, 3, 3, 2)),
    "nif": ("x8", _nif),
    "codice_fiscale": ("x9", _codice),
    "ssn": ("x10", _ssn),
    "nino": ("x11", _nino),
    "ipv4": ("client", _ipv4),
    "ipv4 with a port": ("i1", lambda rng: f"{_ipv4(rng)}:{rng.randrange(1024, 65_000)}"),
    "ipv6": ("i2", _ipv6),
    "ipv6, short": ("i3", lambda rng: f"2001:db8::{rng.randrange(65_536):x}"),
    "coordinates": (
        "place",
        lambda rng: f"{rng.uniform(-90, 90):.5f}, {rng.uniform(-180, 180):.5f}",
    ),
    "birth_date": (
        "date_of_birth",
        lambda rng: f"{date(1940, 1, 1) + timedelta(days=rng.randrange(25_000))}",
    ),
    "birth_date, german": (
        "Geburtsdatum",
        lambda rng: (date(1940, 1, 1) + timedelta(days=rng.randrange(25_000))).strftime("%d.%m.%Y"),
    ),
    "birth_date, day": (
        "birthday",
        lambda rng: date(1940, 1, 1) + timedelta(days=rng.randrange(25_000)),
    ),
}
"""What it is -> its column's name, and what makes a value; the first word is the kind."""

NOBODY: dict[str, tuple[str, Callable[[random.Random], Any]]] = {
    "flight numbers": (
        "flight",
        lambda rng: f"{rng.choice(('UA', 'AA', 'B6', 'DL'))}{rng.randrange(1, 6000)}",
    ),
    "flight ids": ("flight_id", lambda rng: f"UA{rng.randrange(1, 6000)}-EWR-{_day(rng):%Y%m%d}"),
    "tail numbers": ("tailnum", lambda rng: f"N{rng.randrange(100, 999)}{_letters(rng, 2)}"),
    "order numbers, ten digits": ("order", lambda rng: rng.randrange(10**9, 10**10)),
    "order numbers, eleven digits": ("o1", lambda rng: rng.randrange(10**10, 10**11)),
    "order numbers, sixteen digits from 4": (
        "o2",
        lambda rng: rng.randrange(4 * 10**15, 5 * 10**15),
    ),
    "order numbers, in fours": ("o3", lambda rng: _fours(f"4{_digits(rng, 15)}")),
    "order numbers, dated": ("o4", lambda rng: f"{_day(rng):%y%m%d}{_digits(rng, 5)}"),
    "order numbers, text": ("o5", lambda rng: f"ORD-2013-{_digits(rng, 6)}"),
    "claim numbers": (
        "claim",
        lambda rng: f"{_digits(rng, 2)}-{_digits(rng, 6)}-{_digits(rng, 3)}",
    ),
    "policy numbers": ("policy", lambda rng: f"{_letters(rng, 2)}{_digits(rng, 8)}"),
    "letters and numbers like an iban": ("ref", lambda rng: f"DE{_digits(rng, 20)}"),
    "letters and numbers like a dni": ("lot", lambda rng: _digits(rng, 8) + _letters(rng, 1)),
    "digits like a nir": (
        "run",
        lambda rng: f"1{_digits(rng, 2)}{rng.randrange(1, 13):02d}{_digits(rng, 10)}",
    ),
    "barcodes": ("ean", _ean),
    "barcodes, number": ("gtin", lambda rng: int(_ean(rng))),
    "imei": ("device", lambda rng: _card(rng, "35", 15)),
    "sha-1": ("hash", lambda rng: f"{rng.getrandbits(160):040x}"),
    "md5": ("md5", lambda rng: f"{rng.getrandbits(128):032x}"),
    "hash, number": ("h64", lambda rng: rng.getrandbits(63)),
    "uuid": ("uuid", lambda rng: str(uuid.UUID(int=rng.getrandbits(128)))),
    "mac addresses": ("mac", lambda rng: ":".join(f"{rng.randrange(256):02x}" for _ in range(6))),
    "versions": (
        "version",
        lambda rng: f"{rng.randrange(9)}.{rng.randrange(12)}.{rng.randrange(20)}",
    ),
    "versions, four parts": (
        "build",
        lambda rng: f"10.0.{rng.choice((19041, 22621))}.{rng.randrange(900)}",
    ),
    "sections": (
        "section",
        lambda rng: ".".join(str(rng.randrange(1, top)) for top in (9, 9, 19, 9)),
    ),
    "moments": ("at", lambda rng: f"{_day(rng):%Y-%m-%d %H:%M:%S}"),
    "moments, compact": ("stamp", lambda rng: f"{_day(rng):%Y%m%d%H%M%S}"),
    "moments, milliseconds": ("ms", lambda rng: int(_day(rng).timestamp() * 1000)),
    "moments, microseconds": (
        "us",
        lambda rng: int(_day(rng).timestamp() * 1e6) + rng.randrange(10**6),
    ),
    "days, german": ("day", lambda rng: f"{_day(rng):%d.%m.%Y}"),
    "days, american": ("d1", lambda rng: f"{_day(rng):%m/%d/%Y}"),
    "stretches of days": ("period", lambda rng: f"{_day(rng):%d.%m.%Y}-{_day(rng):%d.%m.%Y}"),
    "clock": ("clock", lambda rng: f"{_day(rng):%H:%M:%S}"),
    "prices": ("price", lambda rng: f"{rng.randrange(10**6):,}.{rng.randrange(100):02d}"),
    "prices, german": ("preis", lambda rng: f"{rng.randrange(10**6):,}".replace(",", ".") + ",50"),
    "measured pairs": ("range", lambda rng: f"{rng.uniform(0, 90):.2f}, {rng.uniform(0, 90):.2f}"),
    "one coordinate": ("x", lambda rng: f"{rng.uniform(-90, 90):.6f}"),
    "diagnoses": (
        "code",
        lambda rng: f"{rng.choice('EIJ')}{rng.randrange(10, 99)}.{rng.randrange(9)}",
    ),
    "zip and four": ("zip", lambda rng: f"{_digits(rng, 5)}-{_digits(rng, 4)}"),
    "spare parts": ("part", lambda rng: f"{_digits(rng, 3)}-{_digits(rng, 4)}-{_digits(rng, 2)}"),
    "handles": ("handle", lambda rng: f"@{rng.choice(_NAMES)}{rng.randrange(99)}"),
    "hosts": ("host", lambda rng: f"db{rng.randrange(40)}.internal:5432"),
    "sentences": ("text", _sentence),
    "business days": ("opened", lambda rng: _day(rng).date()),
    "counts": ("count", lambda rng: rng.randrange(10**6)),
}
"""What looks like people's data and is none."""


def made(seed: int = 0) -> dict[str, tuple[str, list[Any]]]:
    """Return what it is -> name and values of a column, ``ROWS`` each."""
    found = {}
    for what, (name, make) in (PEOPLE | NOBODY).items():
        rng = random.Random(f"{seed} {what}")
        found[what] = (name, [make(rng) for _ in range(ROWS)])
    return found
