from __future__ import annotations

import polars as pl
import pytest

from gleis.contracts.clock import SystemClock
from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import DataError
from gleis.data.privacy.declared import declare

SHEET = """
origin = "the shop's own orders"
purpose = "to tell returns"
licence = "LicenseRef-Internal"
terms = "inside the house"
[personal]
data = "{data}"
"""
ROWS = pl.DataFrame(
    {
        "contact": [f"customer{i}@example.org" for i in range(30)],
        "client": [f"192.168.7.{i}" for i in range(30)],
    }
)


@pytest.fixture
def provenance():
    now = SystemClock().now()
    return Provenance(
        source="m:load", since=None, until=None, loaded_at=now, loaded_by="me", code="c"
    )


def test_without_a_datasheet_it_is_only_told(provenance, home, tmp_path):
    made = declare(provenance, ROWS, tmp_path, home)
    assert set(made.personal) == {"contact: email", "client: ipv4"}
    assert made.datasheet is None


def test_none_stops_the_rows_without_showing_them(provenance, home, tmp_path):
    (tmp_path / "datasheet.toml").write_text(SHEET.format(data="none"))
    with pytest.raises(DataError, match=r'declares personal.data = "none", but column') as caught:
        declare(provenance, ROWS, tmp_path, home)
    told = str(caught.value)
    assert "column contact holds email in 100.00% of its values" in told
    assert "column client holds ipv4" in told
    assert "c••••••••@•••••••.•••" in told
    assert not any(value in told for value in [*ROWS["contact"], *ROWS["client"]])


def test_pseudonymous_stops_what_names_a_person_by_itself(provenance, home, tmp_path):
    sheet = tmp_path / "datasheet.weather.toml"
    sheet.write_text(SHEET.format(data="pseudonymous"))
    with pytest.raises(DataError, match="contact") as caught:
        declare(provenance, ROWS, tmp_path, home, "weather")
    assert caught.value.field == "contact"
    assert "client" not in str(caught.value)


def test_a_declared_column_goes_on_and_the_sheet_is_kept(provenance, home, tmp_path):
    text = SHEET.format(data="none") + '[personal.columns]\ncontact = "roles, not people"\n'
    sheet = tmp_path / "datasheet.toml"
    sheet.write_text(text)
    made = declare(provenance, ROWS.drop("client"), tmp_path, home)
    assert made.personal == ("contact: email",)
    assert (made.licence, made.terms) == ("LicenseRef-Internal", "inside the house")
    assert home.artifacts.get(made.datasheet).decode() == text


def test_personal_data_that_is_declared_goes_on(provenance, home, tmp_path):
    (tmp_path / "datasheet.toml").write_text(SHEET.format(data="personal"))
    assert declare(provenance, ROWS, tmp_path, home).datasheet is not None
