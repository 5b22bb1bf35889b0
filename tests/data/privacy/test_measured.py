"""How much of what is there the scan finds, and how often it cries over nothing."""

from __future__ import annotations

import polars as pl

from data.privacy.columns import NOBODY, PEOPLE, made
from gleis.data.privacy.scan import scan


def test_every_kind_is_found_and_nobody_is_taken_for_somebody():
    found = {
        what: {one.kind for one in scan(pl.DataFrame({name: values})).found}
        for what, (name, values) in made().items()
    }
    wanted = {what: {what.split()[0].strip(",")} for what in PEOPLE}
    missed = {what: found[what] for what in PEOPLE if found[what] != wanted[what]}
    wrong = {what: kinds for what in NOBODY if (kinds := found[what])}
    assert (missed, wrong) == ({}, {})
