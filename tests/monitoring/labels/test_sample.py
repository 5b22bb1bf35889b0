import numpy as np
import pytest

from gleis.monitoring.labels.sample import ROWS, Rows, Sample, marks_of


def rows(ids, stretches, targets=None):
    n = len(ids)
    values = np.arange(n, dtype=float) if targets is None else np.asarray(targets, dtype=float)
    return Rows(
        marks_of(ids),
        np.asarray(stretches),
        values,
        np.linspace(0, 1, n),
        np.ones(n),
        np.zeros(n, int),
    )


def names(many, first=0):
    return [f"{i}-0-5ca1ab1e" for i in range(first, first + many)]


def kept(sample):
    return {(int(m), int(s)) for m, s in zip(sample.rows.marks, sample.rows.stretches, strict=True)}


def test_few_rows_are_all_kept():
    sample = Sample(1)
    sample.add(rows(names(100), [7] * 100))
    got, labelled = sample.between(7, 7)
    assert len(got.marks) == 100
    assert labelled.tolist() == [1.0] * 100
    assert len(sample.between(8, 9)[0].marks) == 0


def test_what_is_kept_does_not_depend_on_the_order_of_labels():
    many = 12_000
    ids, stretches = names(many), np.repeat([1, 2, 3], [9000, 2000, 1000])
    whole, parts = Sample(1), Sample(1)
    whole.add(rows(ids, stretches))
    for part in np.array_split(np.random.default_rng(0).permutation(many), 40):
        parts.add(rows([ids[i] for i in part], stretches[part]))
    for sample in (whole, parts):
        got, labelled = sample.between(1, 3)
        assert len(got.marks) <= 1.25 * ROWS
        assert labelled.sum() == pytest.approx(many)
        assert (sample.rows.stretches == 3).sum() == 1000, "the shorter stretches lose nothing"
    assert kept(whole) <= kept(parts) or kept(parts) <= kept(whole)


def test_labels_given_again_and_stretches_that_are_over():
    sample = Sample(1)
    sample.add(rows(names(10), [1] * 5 + [2] * 5))
    sample.mend({int(marks_of(names(1, 7))[0]): 99.0, 12345: 1.0})
    assert sample.rows.targets[7] == 99.0
    sample.forget(2)
    assert sample.seen == {2: 5}
    again = Sample.from_bytes(sample.to_bytes(), 1)
    assert again.to_bytes() == sample.to_bytes()


def test_many_classes_have_fewer_rows():
    sample = Sample(200)
    once, none = np.ones(500), np.zeros(500, int)
    for first in range(0, 2000, 500):
        marks = marks_of(names(500, first))
        sample.add(Rows(marks, none, once, np.zeros((500, 200)), once, none))
    assert len(sample.rows.marks) <= 500
    assert len(sample.to_bytes()) < 900_000
