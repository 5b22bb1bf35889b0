"""A few of many candidates: near, and unlike each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def choose_diverse(costs: Array, apart: Array, count: int) -> list[int]:
    r"""Choose candidates whose determinant is great, one after another.

    The first is the cheapest. Each next one raises :math:`\det L_S` most, where :math:`L_{ij} =
    q_i q_j / (1 + d_{ij})`, with the distance :math:`d_{ij}` between candidates and :math:`q_i`
    the least cost in parts of the candidate's: a set is good if its members are cheap and apart.

    Parameters
    ----------
    costs : ndarray, (n,)
        More than 0.
    apart : ndarray, (n, n)
        Distances, 0 or more.
    count : int
        At most so many; fewer if the others are copies of what is chosen.

    Returns
    -------
    list of int
        Places, in the order they were chosen.

    References
    ----------
    Kulesza, A., Taskar, B. (2012). Determinantal point processes for machine learning. Foundations
    and Trends in Machine Learning 5, section 3.1 (quality and diversity) and 4.2 (greedy).
    Mothilal, R. K., Sharma, A., Tan, C. (2020). Explaining machine learning classifiers through
    diverse counterfactual explanations. FAT*, equation 1.

    Examples
    --------
    The second is cheaper than the third, but is almost the first.

    >>> apart = np.array([[0.0, 0.1, 9.0], [0.1, 0.0, 9.0], [9.0, 9.0, 0.0]])
    >>> choose_diverse(np.array([1.0, 1.1, 1.5]), apart, 2)
    [0, 2]
    """
    quality = costs.min() / costs
    similar = quality[:, None] * quality / (1 + apart)
    left = np.diag(similar).copy()
    rows: list[Array] = []
    chosen = [int(costs.argmin())]
    while len(chosen) < min(count, len(costs)):
        last = chosen[-1]
        known = sum((row[last] * row for row in rows), np.zeros(len(costs)))
        row = (similar[last] - known) / np.sqrt(left[last])
        rows.append(row)
        left = left - row**2
        left[chosen] = -np.inf
        best = int(left.argmax())
        if left[best] <= 1e-9:
            break
        chosen.append(best)
    return chosen
