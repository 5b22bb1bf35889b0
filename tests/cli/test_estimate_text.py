from gleis.cli.estimate_text import estimate_lines
from gleis.cli.health import summary_lines

RECORD = {"checked": 0, "held": 0, "words": "no estimate checked yet", "latest": []}


def summary(**more):
    found = {"believed": True, "why": None, "window": "7d", "rows": 40, "labelled": 0}
    return found | {"figures": {}, "record": RECORD} | more


def test_what_is_not_known_yet_is_said():
    lines = estimate_lines(summary())
    assert lines[0] == "  estimate of 40 answers of the last 7d; 0 have their label"
    assert "too few of them yet" in lines[1]
    figure = {"estimated": 0.5, "low": 0.4, "high": 0.6, "realised": None}
    assert estimate_lines(summary(figures={"brier": figure}))[2].endswith("0.4000 to 0.6000   -")


def test_why_it_is_not_believed_is_a_line_of_its_own():
    lines = summary_lines({"estimate": summary(believed=False, why="of 2 estimates ... 0 held")})
    assert lines[-1] == "    not believed      of 2 estimates ... 0 held"
    none = {"believed": False, "why": "3 test rows are too few; it takes 100"}
    assert summary_lines({"estimate": none}) == [
        "  estimate              none: 3 test rows are too few; it takes 100"
    ]
