"""Messages of a stream that are no rows: whose they are, only their text says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gleis.data.erasing.forgotten import forgotten
from gleis.data.erasing.subjects import Subjects

if TYPE_CHECKING:
    from gleis.store.home import Home

_LONGEST = 8
"""Pieces of letters and digits that one id may consist of: a UUID has five."""
_CODED = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED = re.compile(r"\\(.)")
_QUOTED = re.compile(r'"([^"]*)"')
_WORD = re.compile(r"[^\s\"',;{}\[\]]+")
_PIECE = re.compile(r"[^\W_]+")


def without_named(messages: Sequence[bytes], home: Home) -> list[bool]:
    """Say which messages name nobody who was erased.

    Of somebody who was erased only a keyed hash is known, so nothing can be searched for: what
    stands in quotes is hashed, every word, and whatever begins and ends with a letter or digit and
    holds at most eight pieces of them. An id that is grown together with other letters is not
    recognised.

    Parameters
    ----------
    messages : sequence of bytes, (n_messages,)
    home : Home
        Its ledger knows who was erased.

    Returns
    -------
    list of bool, (n_messages,)

    Raises
    ------
    StoreError
        Somebody was erased, and the key by which they are recognised is not on this machine.
    """
    gone = forgotten(home)
    if not gone or not messages:
        return [True] * len(messages)
    subjects, known = Subjects(home.keys), dict[str, bool]()

    def is_gone(text: str) -> bool:
        if text not in known:
            known[text] = subjects.digest(text) in gone
        return known[text]

    return [not any(map(is_gone, candidates(message))) for message in messages]


def candidates(message: bytes) -> Iterator[str]:
    """Yield what in a message may be the id of a subject; the same text may come again.

    Examples
    --------
    >>> {"+j-7", "j-7", "7", "who"} <= set(candidates(b'{"who": "+j-7", x'))
    True
    """
    text = message.decode("utf-8", errors="replace").replace("\0", "")
    if "\ufffd" in text:
        text = f"{text} {message.decode('latin-1')}"
    text = _CODED.sub(lambda found: chr(int(found[1], 16)), text)
    text = _ESCAPED.sub(r"\1", text)
    yield from _QUOTED.findall(text)
    yield from _WORD.findall(text)
    pieces = [found.span() for found in _PIECE.finditer(text)]
    for at, (start, _) in enumerate(pieces):
        for _, end in pieces[at : at + _LONGEST]:
            yield text[start:end]
            yield text[start - 1 : end]  # a sign may be part of it: +49 30 1
