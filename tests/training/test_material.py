from __future__ import annotations

import numpy as np

from materials import make_material


def test_few_rows_are_all_taken_and_of_many_a_sample():
    material = make_material()
    train = material.prepared.split.train
    np.testing.assert_array_equal(material.train_sample(10_000, "x"), train)
    some = material.train_sample(100, "x")
    assert len(np.unique(some)) == 100
    assert set(some) <= set(train)
    assert (np.diff(some) > 0).all() == (np.diff(train) > 0).all()


def test_the_sample_is_seeded_by_its_name():
    material = make_material()
    first = material.train_sample(100, "x")
    np.testing.assert_array_equal(material.train_sample(100, "x"), first)
    assert set(material.train_sample(100, "y")) != set(first)
