from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gleis.evidence.explain.perturb import neighbours

CELLS = st.one_of(st.just(float("nan")), st.integers(0, 3).map(float))


@given(
    arrays(float, (7, 4), elements=CELLS),
    arrays(float, 4, elements=CELLS),
    st.sampled_from([0.0, 0.5, 0.9]),
    st.integers(0, 99),
)
def test_values_are_the_rows_or_the_backgrounds(background, row, kept, seed):
    alike = (background == row) | (np.isnan(background) & np.isnan(row))
    varies = np.array([True, True, True, False])
    found, again = (
        neighbours(
            row,
            background,
            alike,
            varies,
            count=50,
            kept=kept,
            draw=np.random.default_rng(seed),
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(found.rows, again.rows)
    np.testing.assert_array_equal(found.rows[0], row)
    for j in range(4):
        allowed = np.append(background[:, j], row[j]) if varies[j] else row[j : j + 1]
        np.testing.assert_array_equal(np.isin(np.nan_to_num(found.rows[:, j], nan=-1),
                                              np.nan_to_num(allowed, nan=-1)), True)  # fmt: skip
        same = np.nan_to_num(found.rows[:, j], nan=-1) == np.nan_to_num(row[j], nan=-1)
        np.testing.assert_array_equal(found.same[:, j], same)


def test_as_many_values_are_kept_as_said():
    background = np.arange(300.0).reshape(100, 3)
    row = np.full(3, -1.0)
    for kept in (0.0, 0.5, 0.75):
        found = neighbours(
            row,
            background,
            np.zeros((100, 3), dtype=bool),
            np.ones(3, dtype=bool),
            count=20_000,
            kept=kept,
            draw=np.random.default_rng(1),
        )
        assert abs((found.rows[1:] == -1).mean() - kept) < 0.01
