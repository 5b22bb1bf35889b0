import numpy as np
import pytest

from gleis.monitoring.labels.absence import ACCEPTED, Absence


def days_of(rng, law, many=50, answered=300):
    return {day: (answered, int(rng.binomial(answered, law(rng)))) for day in range(many)}


def judged(days, floor=0.0, alpha=0.05):
    absence, found = Absence(judged=-1), []
    last = max(days)
    while absence.judged < last:
        found += absence.judge(days, last, alpha, floor)
    return found


@pytest.mark.parametrize(
    "law",
    [
        lambda rng: 0.97,
        lambda rng: rng.beta(3, 2),
        lambda rng: 1 / (1 + np.exp(-2 - rng.normal())),
        lambda rng: 0.97 if rng.random() > 0.03 else 0.5,  # storms
    ],
    ids=["alike", "uneven", "logit-normal", "storms"],
)
def test_the_rate_holds_for_days_that_differ(law):
    alarmed = [bool(judged(days_of(np.random.default_rng(seed), law))) for seed in range(40)]
    assert sum(alarmed) <= 5


@pytest.mark.parametrize("past", [3, 40])
def test_a_day_without_labels_is_told_once_and_again_after_it_is_over(past):
    rng = np.random.default_rng(0)
    days = days_of(rng, lambda rng: 0.97, past)
    days |= {past: (1234, 0), past + 1: (1000, 3), past + 2: (1000, 970), past + 3: (500, 0)}
    first, second = judged(days)
    assert (first.first, first.last, first.answered, first.labelled) == (past, past, 1234, 0)
    assert first.chance <= first.level
    assert first.words.startswith("no label came for the 1,234 answers of ")
    assert "have one by now): is the label source down?" in first.words
    assert second.first == past + 3


def test_a_day_that_lacks_some_is_no_alarm():
    days = dict.fromkeys(range(30), (1000, 970)) | {30: (1000, 700)}
    assert judged(days) == []


def test_the_floor_needs_no_past_and_says_how_to_lower_it():
    (found,) = judged({0: (40, 2), 1: (40, 3)}, floor=0.5)
    assert found.floor == 0.5
    assert found.words == (
        "only 2 of the 40 answers of 1 January 1970 have a label (monitor.coverage asks for 50%; "
        "0 asks for none): is the label source down?"
    )
    assert judged({0: (40, 17)}, floor=0.5) == [], "below, but not surely"


def test_days_of_few_answers_are_judged_together():
    (found,) = judged(dict.fromkeys(range(9), (8, 0)), floor=0.5)
    assert (found.first, found.last, found.answered) == (0, 2, 24)
    assert "24 answers of 1 January to 3 January 1970" in found.words


def test_labels_that_stay_away_for_good_become_usual():
    days = dict.fromkeys(range(20), (500, 480))
    days |= {20 + day: (500, 0) for day in range(ACCEPTED)}
    absence = Absence(judged=-1)
    assert len(absence.judge(days, 100, 0.05, 0.0)) == 1
    absence.judge(days, 100, 0.05, 0.0)
    assert absence.usual.share == 0.0
