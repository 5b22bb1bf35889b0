from gleis.contracts.contract import Contract
from gleis.monitoring.labelled import Labelled, read_matches
from monitoring.matches import START, match

LATE = Contract(task="binary", features=(), target="late", classes=("no", "yes"))


def test_matches_become_numbers_and_nothing_is_lost_silently():
    matched = [match("a", 0.2, "no"), match("b", 0.9, "yes"), match("c", 0.5, "perhaps")]
    read = read_matches([*matched, match("a", 0.2, "yes", again=True)], LATE)
    assert read.rows == Labelled(["a", "b"], [0.0, 1.0], [0.2, 0.9], [START, START])
    assert read.corrected == {"a": 1.0}
    assert read.unusable == 1


def test_joining_trimming_and_mending():
    one = Labelled(["a", "b"], [0.0, 1.0], [0.2, 0.9], [START, START])
    rows = one.join(Labelled(["c"], [1.0], [0.4], [START])).latest(2)
    assert rows.ids == ["b", "c"]
    rows.mend({"c": 0.0, "unknown": 1.0})
    targets, scores = rows.arrays("binary")
    assert targets.tolist() == [1, 0]
    assert scores.tolist() == [0.9, 0.4]
    assert targets.dtype.kind == "i"


def test_scores_of_classes_are_a_matrix():
    rows = Labelled(["a"], [2.0], [[0.1, 0.2, 0.7]], [START])
    assert rows.arrays("multiclass")[1].shape == (1, 3)
