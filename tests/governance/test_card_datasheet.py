from __future__ import annotations

from datetime import UTC, datetime

from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.data.datasheet import parse_datasheet
from gleis.governance.card_datasheet import datasheet_parts

SHEET = parse_datasheet(
    b"""
origin = "The bank | its branches"
purpose = "to decide"
licence = "CC-BY-4.0"
[collection]
since = 2013-01-01
gaps = ["No rows of Sundays."]
[personal]
data = "pseudonymous"
categories = ["income"]
"""
)


def _version(first):
    at = datetime(2020, 1, 1, tzinfo=UTC)
    provenance = Provenance(
        source="m:load", since=None, until=None, loaded_at=at, loaded_by="me", code="c"
    )
    return DatasetVersion(
        name="p", version=1, location="x", table_version=0, content="c", rows=1, labelled=1,
        first=first, last=first, columns={}, provenance=provenance, parent=None,
    )  # fmt: skip


def test_says_what_was_declared_and_where_the_rows_disagree():
    text = "\n".join(datasheet_parts(SHEET, _version(datetime(2012, 1, 1, tzinfo=UTC))))
    assert "| origin | The bank \\| its branches |" in text.replace("\\\\", "\\")
    assert "| personal data | pseudonymous: income |" in text
    assert "| collected | 2013-01-01 to now |" in text
    assert "- No rows of Sundays." in text
    assert "- Rows begin on 2012-01-01, before the declared period" in text
    assert "terms" not in text


def test_nothing_is_declared_without_a_datasheet():
    assert datasheet_parts(None, _version(None)) == []
