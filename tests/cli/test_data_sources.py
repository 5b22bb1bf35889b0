from __future__ import annotations

from commands import gleis
from weather_project import make_weather, put


def test_add_reads_the_source_of_a_table_beside(tmp_path):
    make_weather(tmp_path, "in", failing="quarantine")
    put(tmp_path / "in/jan.csv", "at,temp\n2013-01-01,1\n")
    assert gleis(tmp_path, "data", "add", "weather").out == (
        "weather@v1: 1 rows, all rows of 1 file\n"
    )
    put(tmp_path / "in/feb.csv", "at,temp\n2013-02-01,2\n")
    put(tmp_path / "in/mar.csv", "at,temp\n2013-03-01\n")
    put(tmp_path / "in/apr.csv", "")
    said = gleis(tmp_path, "data", "add", "weather")
    assert said.code == 0
    assert said.out.splitlines() == [
        "weather@v2: 2 rows, appended of 1 file to v1",
        "Set aside: in/mar.csv: Line 2 has 1 fields, the header has 2: '2013-03-01'. A field that "
        "holds the separator or a line break stands in double quotes.",
        "Left: in/apr.csv: it is empty",
    ]
    found = gleis(tmp_path, "data", "add", "weather", "--json").json
    assert (found["made"], found["latest"]["version"]) == ([], 2)
    anew = gleis(tmp_path, "data", "add", "weather", "--anew", "--json").json
    assert anew["latest"]["rows"] == 2


def test_what_cannot_be_read_is_an_error_with_its_exit_code(tmp_path):
    make_weather(tmp_path, "in")
    put(tmp_path / "in/jan.csv", "at,at\n1,1\n")
    said = gleis(tmp_path, "data", "add", "weather")
    assert said.code == 4
    assert "in/jan.csv cannot be taken: Column names repeat: ['at']" in " ".join(said.err.split())
    assert gleis(tmp_path, "data", "add", "rain").code == 6
    assert gleis(tmp_path, "data", "add", "weather", "--until", "2013-01-01").code == 2


def test_a_table_beside_is_shown_and_compared_by_itself(tmp_path):
    make_weather(tmp_path, "in", failing="quarantine")
    put(tmp_path / "in/1.csv", "at,station,temp\n2013-01-01T00:00:00Z,JFK,1.0\n")
    gleis(tmp_path, "data", "add", "weather")
    put(tmp_path / "in/2.csv", "at,station,temp\n2013-01-02T00:00:00Z,JFK,2.0\n")
    gleis(tmp_path, "data", "add", "weather")
    # It has no label, so none is missing.
    shown = gleis(tmp_path, "data", "show", "weather@v2").out.splitlines()
    assert shown[0] == "weather@v2  2 rows, 3 columns"
    compared = gleis(tmp_path, "data", "diff", "weather@v1").out.splitlines()
    assert compared[0] == "weather@v1 -> weather@v2  1 -> 2 rows"
    assert "Did you mean weather@latest" in gleis(tmp_path, "data", "show", "weather").err
