"""The kinds of personal data that values can show: their form, their check, and what is enough."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

import msgspec

from gleis.data.privacy.checksums import (
    IBAN_LENGTHS,
    dated_as_pesel,
    is_codice_fiscale,
    is_iban,
    is_issued,
    is_luhn,
    is_nif,
    is_nino,
    is_nir,
    is_pesel,
    is_ssn,
    is_steuer_id,
    shaped_as_steuer_id,
)
from gleis.data.privacy.phones import is_phone


def _as_it_is(text: str) -> str | None:
    return text


def _squeeze(text: str) -> str | None:
    return re.sub(r"[\s.-]", "", text).upper()


def _read_card(text: str) -> str | None:
    digits = re.sub(r"[\s.-]", "", text)
    return digits if is_issued(digits) else None


def _read_steuer_id(text: str) -> str | None:
    digits = text.replace(" ", "")
    return digits if shaped_as_steuer_id(digits) else None


def _read_pesel(text: str) -> str | None:
    return text if dated_as_pesel(text) else None


def _read_iban(text: str) -> str | None:
    """What follows an account in a sentence is not part of it."""
    letters = re.sub(r"\s", "", text).upper()
    length = IBAN_LENGTHS.get(letters[:2])
    return None if length is None or len(letters) < length else letters[:length]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of personal data.

    A match of ``form`` is a candidate; ``check`` says whether it is one. Where random values pass a
    check at a known rate, ``chance``, a column holds some only if more pass than that rate
    explains. Where there is no check, the form alone must make up ``enough`` of the values.
    """

    name: str
    title: str
    form: str
    """Regular expression, understood alike by Python and by Rust; group 1 is the candidate."""
    check: Callable[[str], bool]
    read: Callable[[str], str | None] = _as_it_is
    """Brings a match into the form that ``check`` takes; None if it is no candidate after all."""
    chance: float | None = None
    enough: float = 0.0
    """Share of values, without the column's name as a witness."""
    digits: tuple[int, int] | None = None
    """Digits of a whole number that may be one; None: whole numbers never are."""
    direct: bool = True
    """Whether it names a person by itself, so that pseudonymous data must not hold it."""


def _is_ipv4(text: str) -> bool:
    """Four parts below 20 look like a version number, 1.2.3.4."""
    parts = [int(part) for part in text.split(".")]
    return max(parts) <= 255 and max(parts) >= 20


def _is_ipv6(text: str) -> bool:
    try:
        return len(ipaddress.IPv6Address(text).compressed) > 4
    except ValueError:
        return False


def _is_position(text: str) -> bool:
    latitude, longitude = (float(part) for part in re.split(r"[,;\s]+", text))
    return abs(latitude) <= 90 and abs(longitude) <= 180


KINDS = (
    Kind(
        name="email",
        title="e-mail address",
        form=r"(?:^|[^\w.+-])([A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}"
        r"[A-Za-z0-9])?\.)+[A-Za-z]{2,24})(?:$|[^\w-])",
        check=lambda text: ".." not in text,
    ),
    Kind(
        name="iban",
        title="bank account (IBAN)",
        form=r"(?:^|\W)([A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30})(?:$|\W)",
        read=_read_iban,
        check=is_iban,
        chance=1 / 97,
    ),
    Kind(
        name="card",
        title="payment card",
        form=r"(?:^|[^\w.,-])((?:3[04-9]|[24]\d|5[1-5]|35|6[0245])\d{2}"
        r"(?:\d{9,15}|[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|[ -]\d{6}[ -]\d{4,5}))(?:$|[^\w.,-])",
        read=_read_card,
        check=is_luhn,
        chance=1 / 10,
        digits=(13, 19),
    ),
    Kind(
        name="phone",
        title="telephone number",
        form=r"(?:^|[^\w.,+-])((?:\+|\(?\d)[\d ()./-]{7,20}\d)(?:$|[^\w.,-])",
        check=is_phone,
        enough=0.2,
    ),
    Kind(
        name="steuer_id",
        title="tax id (Germany)",
        form=r"(?:^|[^\w.,-])([1-9]\d{10}|[1-9]\d \d{3} \d{3} \d{3})(?:$|[^\w.,-])",
        read=_read_steuer_id,
        check=is_steuer_id,
        chance=1 / 10,
        digits=(11, 11),
    ),
    Kind(
        name="ssn",
        title="social security number (USA)",
        form=r"(?:^|[^\w.,-])(\d{3}-\d{2}-\d{4})(?:$|[^\w.,-])",
        read=_squeeze,
        check=is_ssn,
        enough=0.2,
    ),
    Kind(
        name="nino",
        title="national insurance number (UK)",
        form=r"(?:^|\W)([A-Za-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Da-d])(?:$|\W)",
        read=_squeeze,
        check=is_nino,
        enough=0.2,
    ),
    Kind(
        name="nir",
        title="social security number (France)",
        form=r"(?:^|[^\w.,-])([1-478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ABab]) ?\d{3} ?"
        r"\d{3} ?\d{2})(?:$|[^\w.,-])",
        read=_squeeze,
        check=is_nir,
        chance=1 / 97,
        digits=(15, 15),
    ),
    Kind(
        name="nif",
        title="tax id (Spain)",
        form=r"(?:^|\W)((?:\d{8}|[XYZxyz]\d{7})-?[A-HJ-NP-TV-Za-hj-np-tv-z])(?:$|\W)",
        read=_squeeze,
        check=is_nif,
        chance=1 / 23,
    ),
    Kind(
        name="codice_fiscale",
        title="tax id (Italy)",
        form=r"(?:^|\W)([A-Za-z]{6} ?\d{2}[A-EHLMPRSTa-ehlmprst]\d{2} ?[A-Za-z]\d{3}[A-Za-z])"
        r"(?:$|\W)",
        read=_squeeze,
        check=is_codice_fiscale,
        chance=1 / 26,
    ),
    Kind(
        name="pesel",
        title="citizen number (Poland)",
        form=r"(?:^|[^\w.,-])(\d{11})(?:$|[^\w.,-])",
        read=_read_pesel,
        check=is_pesel,
        chance=1 / 10,
        digits=(10, 11),
    ),
    Kind(
        name="ipv4",
        title="IP address",
        form=r"(?:^|[^\w.])((?:\d{1,3}\.){3}\d{1,3})(?:$|[^\w.])",
        check=_is_ipv4,
        enough=0.05,
        direct=False,
    ),
    Kind(
        name="ipv6",
        title="IP address",
        form=r"(?:^|[^\w:.])([0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:$|[^\w:.])",
        check=_is_ipv6,
        enough=0.05,
        direct=False,
    ),
    Kind(
        name="coordinates",
        title="position",
        form=r"(?:^|[^\w.])(-?\d{1,2}\.\d{4,}[,;\s]+-?\d{1,3}\.\d{4,})(?:$|[^\w.])",
        check=_is_position,
        enough=0.2,
        direct=False,
    ),
)
"""All kinds, by values. `gleis.data.privacy.column_names` has those that only a name shows."""
