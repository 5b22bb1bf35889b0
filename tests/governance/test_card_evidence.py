from __future__ import annotations

import msgspec
import pytest

from evidence_of_everything import EVERYTHING
from gleis.contracts.evidence import Evidence
from gleis.contracts.leakage import Leakage
from gleis.governance.card_evidence import evidence_parts


@pytest.fixture(scope="module")
def text():
    return "\n\n".join(block for part in evidence_parts(EVERYTHING, "log_loss") for block in part)


@pytest.mark.parametrize(
    "part",
    [
        "Of 812 slices searched the worst is hrat > 40 and unit = 2 (64 rows); p = 0.004",
        "Made with the mitigation reweighing.",
        "| bl\\<ack | 99 | 0.50 (0.40 to 0.60)",
        "| disparate_impact | 0.77 (0.67 to 0.87) |",
        "Unknown: hispanic (12 rows).",
        "### sex and race",
        "| noise_10pct | Noise on every number. | 0.010 (0.000 to 0.020) |",
        "| unseen_category | Unseen words. Refused. | unknown |",
        "- Leak, typur: typur is known only later.",
        "- Worth a look, gdlin: gdlin predicts alone.",
        "- Not looked for: Time: there is no time column.",
        "| linear | Logistic regression. | 0.250 (0.220 to 0.280) | 0.010 (-0.005 to 0.025) |",
        "| v7 | version 7, which is champion | 0.260 (0.230 to 0.290) | 0.020 (0.010 to 0.030) |",
        "| `gdlin` | 0.100 (0.080 to 0.120) |",
    ],
)
def test_each_section(text, part):
    assert part in text


def test_only_what_there_is():
    assert evidence_parts(Evidence(rows=9, figures={}, baseline={}, gain={}), "rmse") == []
    no_leak = Evidence(rows=9, figures={}, baseline={}, gain={}, leakage=Leakage(checked=("A.",)))
    assert evidence_parts(no_leak, "rmse") == [["## Leakage", "- No leak was found.\n- A."]]


def test_a_search_that_could_not_be_made_says_why():
    worst = msgspec.structs.replace(
        EVERYTHING.worst_slice, conditions=(), figures={}, notes=("Too few rows.",)
    )
    evidence = Evidence(rows=9, figures={}, baseline={}, gain={}, worst_slice=worst)
    assert evidence_parts(evidence, "rmse") == [["## Worst slice", "Too few rows."]]
