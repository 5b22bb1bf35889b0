from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.contracts.errors import ConfigError
from gleis.data.datasheet import parse_datasheet, period_notes, read_datasheet

GOOD = """
origin = "Bureau of Transportation Statistics"
purpose = "to tell delays"
licence = "cc0-1.0 or MIT"

[collection]
since = 2013-01-01
until = 2013-12-31
gaps = ["The storm of 8 February 2013."]

[personal]
data = "none"

[personal.columns]
tail = "an aircraft"
"""


def test_reads_what_it_says(tmp_path):
    assert read_datasheet(tmp_path) is None
    (tmp_path / "datasheet.weather.toml").write_text(GOOD)
    sheet, content = read_datasheet(tmp_path, "weather")
    assert content == GOOD.encode()
    assert sheet.licence == "CC0-1.0 OR MIT"
    assert sheet.personal.columns == {"tail": "an aircraft"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("purpose", "purpos", "line 3: purpos is no key.*Did you mean purpose"),
        ("gaps =", "holes =", "line 9: collection.holes is no key"),
        ('purpose = "to tell delays"', "", "purpose is missing.*--init"),
        (
            '"none"',
            '"non"',
            r"line 12: personal.data is none of none, pseudonymous, personal: 'non'",
        ),
        ("cc0-1.0 or MIT", "CC-ZERO", "line 4: licence is no SPDX expression: 'CC-ZERO'"),
        ("to tell delays", "TODO say", "line 3: purpose says nothing yet"),
        ("to tell delays", " ", "line 3: purpose says nothing yet"),
        ("2013-12-31", "2012-12-31", "line 8: collection.until is before collection.since"),
        ("2013-12-31", '"soon"', "line 8: collection.until has the wrong type"),
        ("an aircraft", "", "line 15: personal.columns.tail gives no reason"),
        ("[personal]", "[personal", "is not TOML.*line 11"),
    ],
)
def test_says_what_is_wrong_and_where(old, new, told):
    assert old in GOOD
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        parse_datasheet(GOOD.replace(old, new, 1).encode())


def test_rows_outside_of_the_period_are_noted():
    sheet = parse_datasheet(GOOD.encode())

    def day(year):
        return datetime(year, 6, 1, tzinfo=UTC)

    assert period_notes(sheet, day(2013), day(2013)) == []
    assert period_notes(sheet, None, None) == []
    assert len(period_notes(sheet, day(2012), day(2014))) == 2
    assert "older" in period_notes(sheet, day(2011), day(2012))[-1]
