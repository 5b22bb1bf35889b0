from __future__ import annotations

import pytest
from known_models import ROWS, once

from gleis.config.settings import ExplainSettings
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import (
    Anchor,
    Condition,
    Contributions,
    Counterfactual,
    Counterfactuals,
    Effect,
    Explained,
    Fidelity,
    Importance,
    Surrogate,
)
from gleis.contracts.figure import Figure
from gleis.contracts.wording import Wording
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.words import in_words, wording

CONTRACT = Contract(
    task="binary",
    target="approved",
    classes=("0", "1"),
    features=(
        Column(name="loan", kind="number", unit="USD"),
        Column(name="ratio", kind="number", unit="%"),
        Column(name="married", kind="integer"),
        Column(name="purpose", kind="category", categories=("car", "house", "land")),
    ),
)
EXPLAIN = ExplainSettings(
    names={"loan": "the loan", "ratio": "the debt ratio", "married=1": "married"},
    names_de={"loan": "der Kredit", "ratio": "die Schuldenquote", "married=1": "verheiratet"},
    outcomes={"0": "refusal", "1": "approval"},
    outcomes_de={"0": "eine Absage", "1": "eine Zusage"},
)
ROW = {"loan": 150000.0, "ratio": 41.25, "married": 1, "purpose": None}
ASKED = Explained(prediction="0", score=0.42, of="1", row=ROW)
FIGURE = Figure(value=0.971, low=0.95, high=0.984)
COVERAGE = Figure(value=0.12, low=0.1, high=0.14)


def said(explanation, contract=CONTRACT):
    english = in_words(explanation, contract, "en", names=wording(EXPLAIN, "en"))
    german = in_words(explanation, contract, "de", names=wording(EXPLAIN, "de"))
    return english, german.replace("\u00a0", " ")


def contributions(**more):
    parts = {"loan": -0.9, "ratio": -0.4, "married": 0.3, "purpose": 0.001}
    given = {
        "method": "shap", "explained": ASKED, "link": "logit", "value": -0.32, "base_value": 0.679,
        "contributions": parts, "fidelity": (),
    }  # fmt: skip
    return Contributions(**(given | more))


def test_what_counted_for_and_against():
    english, german = said(contributions())
    assert english == (
        "The chance of approval was 42%. The answer was refusal. Before anything is known about a "
        "case, the model starts at 66%. What counted most against it: the loan (150,000 USD) and "
        "the debt ratio (41.25 %). What counted most for it: married (married). This says how the "
        "model weighed what it was given, not what causes what, and not what would happen if "
        "something were changed."
    )
    assert german.startswith(
        "Die Wahrscheinlichkeit für eine Zusage lag bei 42 %. Das Ergebnis war: eine Absage. Ohne "
        "etwas über einen Fall zu wissen, beginnt das Modell bei 66 %. Am meisten dagegen sprach: "
        "der Kredit (150.000 USD) und die Schuldenquote (41,25 %). Am meisten dafür sprach: married"
    )


def test_a_name_that_ends_in_brackets_takes_the_value_in():
    names = Wording(names={"ratio": "the record (1 is best)"})
    found = in_words(contributions(), CONTRACT, "de", names=names)
    assert "the record (1 is best; hier 41,25 %)" in found


def test_a_simplification_says_how_good_it_is():
    fits = (Fidelity(measure="local R2", value=0.83, asked=">= 0.25"),)
    english, german = said(contributions(method="lime", link="identity", fidelity=fits))
    assert "follows 83% of the ups and downs" in english
    assert "folgt sie 83 % des Auf und Ab" in german
    assert "starts at" not in english
    nothing, _ = said(contributions(contributions={"loan": 0.0}))
    assert "Nothing that was given moved it." in nothing


def test_a_value_is_raised_and_lowered():
    contract = Contract(task="regression", target="price", features=CONTRACT.features)
    asked = Explained(prediction=1234.5, score=1234.5, of=None, row=ROW)
    english, german = said(
        contributions(explained=asked, link="identity", base_value=1000.0), contract
    )
    assert english.startswith("The answer for price was 1,234.5. Before")
    assert "What lowered it most: the loan" in english
    assert "beginnt das Modell bei 1.000." in german
    assert "Am stärksten erhöht hat es: married (verheiratet)" in german


def test_a_rule_that_is_enough():
    rule = (
        Condition(feature="loan", text="", low=50000, high=160000.5),
        Condition(feature="ratio", text="", low=40.0),
        Condition(feature="married", text="", high=0, missing=True),
        Condition(feature="purpose", text="", categories=("car", "house", "land")),
        Condition(feature="purpose", text="", missing=True),
    )
    anchor = Anchor(explained=ASKED, rule=rule, precision=FIGURE, coverage=COVERAGE, fidelity=())
    english, german = said(anchor)
    assert "as long as the loan is above 50,000 USD and at most 160,000.5 USD and the" in english
    assert "the debt ratio is above 40 % and married is at most 0 or not given" in english
    assert "purpose is car, house or land and purpose is not given: then 97% of cases (95% to " in (
        english
    )
    assert "die Schuldenquote über 40 % liegt und married höchstens 0 beträgt oder nicht" in german
    assert "12 % aller Fälle" in german
    bare = Anchor(explained=ASKED, rule=(), precision=FIGURE, coverage=COVERAGE, fidelity=())
    assert said(bare)[0].startswith("The answer is refusal in 97% of cases (95% to 98%), whatever")


def test_what_would_have_had_to_be_otherwise():
    ways = (
        Counterfactual(
            changes={"loan": (150000.0, 120000.0)}, prediction="1", score=0.61, distance=0.4
        ),
        Counterfactual(
            changes={"ratio": (41.25, 36.0), "purpose": (None, "house")},
            prediction="1", score=0.55, distance=0.9,
        ),
    )  # fmt: skip
    found = Counterfactuals(explained=ASKED, found=ways, immutable=("married",), fidelity=())
    english, german = said(found)
    assert (
        "Had the loan been 120,000 USD instead of 150,000 USD, the answer would have been approval "
        "(chance of approval: 61%). Or: had the debt ratio been 36 % instead of 41.25 % and purpose"
        " been house instead of not given, the answer would have been approval"
    ) in english
    assert (
        "Wäre der Kredit 120.000 USD statt 150.000 USD gewesen, so wäre das Ergebnis eine Zusage "
        "gewesen (Wahrscheinlichkeit für eine Zusage: 61 %). Oder: Wäre die Schuldenquote"
    ) in german
    assert "not regarded as changeable: married." in english
    none = Counterfactuals(explained=ASKED, found=(), immutable=(), fidelity=())
    assert "No change was found" in said(none)[0]


@pytest.mark.parametrize(
    ("method", "values", "english", "german"),
    [
        ("pdp", (0.2, 0.31, 0.12), "lowest, 12%, where the loan is 3,000.5 USD, and highest, 31%, "
         "where the loan is 2,000 USD", "am niedrigsten, 12 %, wenn der Kredit 3.000,5 USD ist"),
        ("ice", (0.2, 0.31, 0.12), "it lies between 21% and 41% for 95% of them", "zwischen 21 %"),
        ("ale", (-0.05, 0.0, 0.081), "8.1 percentage points above the mean where the loan is "
         "3,000.5 USD, and up to 5 percentage points below", "8,1 Prozentpunkte über dem Mittel"),
        ("pdp", (0.2, 0.2, 0.2), "The chance of approval does not move with the loan.",
         "bleibt gleich, wie auch immer der"),
    ],
)  # fmt: skip
def test_how_the_score_moves(method, values, english, german):
    made_up = (Fidelity(measure="outside what was seen", value=0.37),)
    effect = Effect(
        method=method, feature="loan", of="1", grid=(1000.0, 2000.0, 3000.5), values=values,
        low=tuple(v - 0.1 for v in values), high=tuple(v + 0.1 for v in values), rows=1957,
        fidelity=() if method == "ale" else made_up,
    )  # fmt: skip
    found = said(effect)
    assert english in found[0]
    assert german in found[1]
    assert ("37% of the cases behind it never occur like that" in found[0]) == (
        method != "ale" and len(set(values)) > 1
    )


def test_log_odds_are_said_as_chances():
    effect = Effect(
        method="pdp", feature="loan", of="1", grid=(1.0, 2.0), values=(-1.0, 1.0), rows=5,
        link="logit",
    )  # fmt: skip
    assert "lowest, 27%, where the loan is 1 USD, and highest, 73%" in said(effect)[0]


def test_what_the_model_relies_on():
    features = {
        "loan": Figure(value=0.053, low=0.043, high=0.0641),
        "ratio": Figure(value=0.02, low=0.01, high=0.03),
        "married": Figure(value=0.001, low=-0.002, high=0.003),
    }
    found = Importance(method="permutation", unit="rise of log_loss", features=features, rows=2000)
    english, german = said(found)
    assert "relies most on the loan and the debt ratio. If the loan is mixed up among 2,000" in (
        english
    )
    assert "(log loss) rises by 0.053 (0.043 to 0.0641)" in english
    assert "does not measurably rely on married" in english
    assert "um 0,053 (0,043 bis 0,0641)" in german
    summary = Importance(
        method="shap_summary", unit="mean |SHAP| (logit)", features=features, rows=9
    )
    assert "moves the model's answers most: the loan and the debt ratio." in said(summary)[0]


def test_rules_and_one_that_is_not_shown():
    low = Condition(feature="ratio", text="", high=40.0)
    fits = Fidelity(measure="R2 on rows the tree has not seen", value=0.7, low=0.6, high=0.8)
    rules = (((low,), 0.91, 1200), ((), 0.3, 100))
    english, german = said(Surrogate(of="1", rules=rules, rows=1300, fidelity=(fits,)))
    assert "for 70% of the ups and downs" in english
    assert "- If the debt ratio is at most 40 %: the chance of approval is 91% (1,200 cases)." in (
        english
    )
    assert "- Wenn die Schuldenquote höchstens 40 % beträgt: die Wahrscheinlichkeit für eine " in (
        german
    )
    fails = Fidelity(
        measure="R2 on rows the tree has not seen", value=0.3, asked=">= 0.5", holds=False
    )
    english, german = said(Surrogate(of="1", rules=rules, rows=1300, fidelity=(fails,)))
    assert english.startswith("There is no explanation of this kind")
    assert "R2 auf Fällen, die der Baum nicht gesehen hat 0,3" in german


def test_what_has_no_name_is_called_as_in_the_data():
    found = in_words(
        explain(once("multiclass"), ROWS, "pdp", feature="hour"), once("multiclass").contract
    )
    assert "the chance of kind being on time is on average lowest" in found


def test_a_language_that_is_not_spoken():
    with pytest.raises(InvalidRowError, match="en, de"):
        in_words(contributions(), CONTRACT, "fr", names=Wording())


def test_the_value_of_a_regression_stays_within_a_reach():
    contract = Contract(task="regression", target="price", features=CONTRACT.features)
    anchor = Anchor(
        explained=Explained(prediction=1200.5, score=1200.5, of=None, row=ROW),
        rule=(Condition(feature="loan", text="", low=50000),),
        precision=FIGURE,
        coverage=COVERAGE,
        within=36.08,
        fidelity=(),
    )
    english, german = said(anchor, contract)
    assert "The answer stays 1,200.5 (give or take 36.1) as long as the loan is above" in english
    assert "Das Ergebnis bleibt 1.200,5 (auf 36,1 genau), solange der Kredit über" in german
