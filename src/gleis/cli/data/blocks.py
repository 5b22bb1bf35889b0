"""Small pictures made of characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = "▁▂▃▄▅▆▇█"


def blocks(counts: Sequence[int], width: int = 12) -> str:
    """Draw counts as a row of blocks; an empty bin is a blank.

    Parameters
    ----------
    counts : sequence of int, (n_bins,)
    width : int
        Characters at most; of more bins the mean of neighbours.

    Examples
    --------
    >>> blocks([0, 1, 4, 8])
    ' ▁▄█'
    >>> blocks([7] * 24)
    '████████████'
    """
    if len(counts) > width:
        cuts = [round(i * len(counts) / width) for i in range(width + 1)]
        counts = [round(sum(counts[a:b]) / (b - a)) for a, b in pairwise(cuts)]
    most = max(counts, default=0)
    if not most:
        return " " * len(counts)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[min(top, int(count / most * top))] if count else " " for count in counts)


def bar(share: float, width: int = 10) -> str:
    """Draw a share, 0 to 1, as a bar.

    Examples
    --------
    >>> bar(0.5, 4)
    '██'
    """
    return "█" * round(max(0.0, min(1.0, share)) * width)
