from __future__ import annotations

import pytest

from gleis.serving.classes import ClassLabels


@pytest.mark.parametrize(
    ("classes", "value", "expected"),
    [
        (("0", "1"), True, "1"),
        (("0", "1"), 1.0, "1"),
        (("0", "1"), "true", "1"),
        (("0", "1"), "1.0", "1"),
        (("0", "1"), 2, None),
        (("0", "1"), None, None),
        (("0", "1"), [1], None),
        (("false", "true"), 1, "true"),
        (("False", "True"), "true", "True"),
        (("no", "yes"), "yes", "yes"),
        (("no", "yes"), "Yes", None),
        (("no", "yes"), True, None),
        (("0.5", "1.5"), 0.5, "0.5"),
        (("1", "1.0", "2"), "1.0", "1.0"),
        (("1", "1.0", "2"), True, None),
        (("9007199254740992", "9007199254740993"), 9007199254740993, "9007199254740993"),
    ],
)
def test_labels_match_by_meaning(classes, value, expected):
    assert ClassLabels(classes).match(value) == expected


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (("0", "1"), (0, 1)),
        (("-1", "1"), (-1, 1)),
        (("False", "True"), (False, True)),
        (("01", "1"), ("01", "1")),
        (("0.0", "1.0"), ("0.0", "1.0")),
        (("no", "yes"), ("no", "yes")),
    ],
)
def test_what_is_shown_comes_back_as_the_same_class(classes, shown):
    labels = ClassLabels(classes)
    assert labels.shown == shown
    assert [type(one) for one in labels.shown] == [type(one) for one in shown]
    assert tuple(labels.match(value) for value in labels.shown) == classes
