"""What people declare about a source: ``datasheet.toml``."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

Personal = Literal["none", "pseudonymous", "personal"]


class Collection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[collection]``: when and how the rows were collected."""

    since: date | None = None
    """First day of the rows, UTC."""
    until: date | None = None
    """Last day, inclusive; left out: it goes on."""
    how: str = ""
    """How: by a sensor, a form, a contract; by whom."""
    gaps: tuple[str, ...] = ()
    """What is known to be missing, a sentence each."""


class PersonalData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[personal]``: whether rows say something of people."""

    data: Personal
    """``none``: of nobody. ``pseudonymous``: of people whom no column names by itself.
    ``personal``: of people who can be named."""
    categories: tuple[str, ...] = ()
    """Which: contact, account, location, health, ..."""
    legal_basis: str = ""
    """Why they may be processed: ``GDPR Art. 6(1)(b)``."""
    retention: str = ""
    """How long they may be kept."""
    columns: dict[str, str] = {}
    """``[personal.columns]``: column -> why it holds what a scan takes for personal data."""


class Datasheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``datasheet.toml``: where rows come from, what they are for and what may be done with them.

    References
    ----------
    Gebru, T. et al. (2021). Datasheets for datasets. Communications of the ACM 64(12).
    """

    origin: str
    """Who made the rows, and where they were taken from."""
    purpose: str
    """What they were collected for, and what they may be used for."""
    licence: str
    """SPDX name: ``CC-BY-4.0``; of one that is not listed ``LicenseRef-Our-Contract``."""
    personal: PersonalData
    terms: str = ""
    """Terms of use beyond the licence, or where they are written."""
    contact: str = ""
    """Who answers for it: a role rather than a person."""
    collection: Collection = Collection()
