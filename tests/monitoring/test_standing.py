import numpy as np
import pytest

from gleis.monitoring.standing import Standing

CODES = np.array([[1, 0], [2, 0], [2, 0], [2, 3], [2, 3]])
VALUES = np.array([[5.0, 0.0], [7.0, 0.0], [7.0, 0.0], [7.0, 1.5], [7.0, 1.5]])


@pytest.mark.parametrize("cuts", [[], [1, 2, 4], [0, 3]])
def test_runs_are_counted_however_rows_are_cut(cuts):
    standing = Standing(2)
    for part in np.split(np.arange(5), cuts):
        standing.add(CODES[part], VALUES[part], 10.0 * part)
    assert standing.run(0) == (2, 7.0, 4, 10.0)
    assert standing.run(1) == (3, 1.5, 2, 30.0)


def test_a_value_that_differs_within_its_bin_ends_the_run():
    standing = Standing(1)
    standing.add(np.array([[2], [2]]), np.array([[7.0], [7.1]]), np.array([0.0, 1.0]))
    assert standing.run(0) == (2, 7.1, 1, 1.0)


def test_state_goes_on():
    standing, restored = Standing(2), Standing(2)
    standing.add(CODES[:3], VALUES[:3], np.arange(3.0))
    restored.restore(standing.arrays())
    for one in (standing, restored):
        one.add(CODES[3:], VALUES[3:], np.arange(3.0, 5.0))
    assert restored.run(0) == standing.run(0) == (2, 7.0, 4, 1.0)
