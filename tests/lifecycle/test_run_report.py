from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest

from evidence_of_everything import EVERYTHING, run_of
from gleis.contracts.evidence import Evidence
from gleis.governance.gates import judge
from gleis.lifecycle.run_report import Subject, write_run_report
from gleis.lifecycle.run_summary import summarise

GATES = {
    "roc_auc": ">= 0.8",
    "fairness.race.disparate_impact": ">= 0.8",
    "leakage": "none",
    "simpler": "must lose by 0.01",
    "f1": ">= 0.1",
}
SUBJECT = Subject(task="binary", target="approve", version=3, standing="is not live")
EMPTY = Evidence(rows=9, figures={}, baseline={}, gain={})


def written(folder, evidence=EVERYTHING, gates=GATES, subject=SUBJECT, changed="", **of_run):
    run = run_of(evidence, **of_run)
    verdict = judge(evidence, gates)
    path = write_run_report(run, verdict, changed, subject, folder / "deep" / "report.html")
    return path.read_text()


def said(page):
    """Return the text of a page, without scripts and styles."""
    page = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("report"), changed="The gates have changed.")


def test_the_verdict_comes_first_with_every_reason(page):
    text = said(page)
    assert text.startswith("mortgage: run r20260301-7f3a mortgage: version 3")
    for gate in judge(EVERYTHING, GATES).gates:
        assert gate.reason in text
        assert page.count(f'<span class="badge {gate.status}">') >= 1
    assert text.index("Blocked by 4 of 6 gates.") < text.index("The gates have changed.")
    assert text.index("The gates have changed.") < text.index("Quality beside the heuristic")


@pytest.mark.parametrize(
    "part",
    [
        *("log_loss lower 0.240 (0.210 to 0.270) 0.300", "calibration_slope near 1 1.02"),
        "linear Logistic regression. 0.250 (0.220 to 0.280) 0.010 (-0.005 to 0.025)",
        *("Version 7, which is champion, asked about the same", "It saw some."),
        *("hrat > 40 and unit = 2: 64 rows. Of 812 slices searched", "p = 0.004"),
        *("unit = <1> 800 0.60", "too few rows or one class only: unit = 4 (11)"),
        *("mitigation reweighing", "bl<ack 99 0.50", "hispanic 12 unknown: too few rows"),
        *("disparate_impact a gate asks for it 0.77", "Unknown: hispanic (12 rows)."),
        *("sex and race", "Fewer than two groups are large enough: unknown.", "theil_index"),
        *("noise_10pct Noise on every number.", "unseen_category Unseen words. Refused. unknown"),
        *("Leak: late, typur typur is known only later. figure measured random.roc_auc",),
        *("Worth a look: predictor, gdlin", "Not: Time: there is no time column."),
        *("gdlin 0.100 (0.080 to 0.120)", "R2 0.910, asked >= 0.7", "gdlin <= 0.5 0.250 90"),
        *("1,089 trained on, 900 tested on", "commit deadbeef with changes", "17 rows have no"),
    ],
)
def test_each_section_is_there(page, part):
    assert part in said(page)


def test_it_needs_no_network_and_escapes_what_it_shows(page):
    assert (
        re.findall(r"""(?:src|href|action)=["']?(?!#|data:)[^\s"'>]+""", page.split("<script>")[0])
        == []
    )
    assert "@import" not in page.split("</style>")[0]
    assert "bl<ack" not in page.split("<script>")[0]
    for name in ("figures", "calibration", "slices-unit"):
        assert f'id="{name}"' in page
        assert f'"{name}": {{' in page


def test_sections_without_evidence_say_why(tmp_path):
    text = said(written(tmp_path, EMPTY, {}, changed=""))
    assert text.count("gleis run --refresh makes it anew.") == 5
    assert "[fairness] protected = [...]" in text
    assert "[evidence] slices = [...]" in text
    assert "Too few rows to draw it." in text
    assert "Beside the champion" not in text
    heuristic = said(written(tmp_path, EMPTY, {}, kind="baseline"))
    assert heuristic.count("Not made for a heuristic.") == 5
    several = SUBJECT._replace(task="multiclass", version=None)
    text = said(written(tmp_path, EMPTY, {}, subject=several))
    assert "two classes only" in text
    assert "mortgage: run r20260301-7f3a A model" in text


def test_a_surrogate_that_is_not_faithful_is_not_shown(tmp_path):
    tree = EVERYTHING.surrogate
    check = msgspec.structs.replace(tree.fidelity[0], value=0.2, holds=False)
    evidence = msgspec.structs.replace(
        EVERYTHING, surrogate=msgspec.structs.replace(tree, fidelity=(check,))
    )
    text = said(written(tmp_path, evidence))
    assert "R2 0.200, asked >= 0.7: it does not hold, so the rules are not shown" in text
    assert "gdlin <= 0.5" not in text


def test_the_summary_tells_the_story_in_order():
    told = summarise(run_of(EVERYTHING), judge(EVERYTHING, GATES), "binary")
    assert told == [
        "On 900 rows it had not seen, its log_loss is 0.240 (0.210 to 0.270), the heuristic's "
        "0.300 (0.270 to 0.330): better by 0.060 (0.040 to 0.080).",
        "Of the simpler models linear comes closest (log_loss 0.250 (0.220 to 0.280)): not surely "
        "better, gain 0.010 (-0.005 to 0.025).",
        "Between groups of race, disparate_impact is 0.77 (0.67 to 0.87). Unknown: hispanic (12 "
        "rows).",
        "Whether groups of sex are treated alike is unknown: too few rows.",
        "It is worst where hrat > 40 and unit = 2 (64 rows): log_loss 0.50 (0.40 to 0.60).",
        "Of the damage that was done to its inputs, noise_10pct does most harm: log_loss is 0.010 "
        "(0.000 to 0.020) worse.",
        "The figures are too good to be true: typur is known only later.",
    ]
    assert summarise(run_of(EMPTY), judge(EMPTY, {}), "binary") == []
