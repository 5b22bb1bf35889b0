"""Footers of parquet files: taken off, moved, joined and written again.

References
----------
Apache Parquet, ``parquet-format/src/main/thrift/parquet.thrift``: the numbers of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping

from gleis.store.thrift import Items, Struct, Typed, read_struct, write_struct

MAGIC = b"PAR1"
_I64, _BINARY, _LIST, _STRUCT = 6, 8, 9, 12
_ROWS, _GROUPS, _NOTES = 3, 4, 5
_CHUNKS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSET, _META, _INDEXES = 2, 3, (4, 5, 6, 7)
_PAGES = (9, 10, 11, 14)
"""Places of data pages, index page, dictionary page and bloom filter."""


def split(file: bytes | memoryview) -> tuple[memoryview, Struct]:
    """Return the column chunks of a whole parquet file, as bytes, and its footer."""
    view = memoryview(file)
    length = int.from_bytes(view[-8:-4], "little")
    return view[4 : -8 - length], read_struct(bytes(view[-8 - length : -8]))


def closing(footer: Struct, notes: Mapping[str, str]) -> bytes:
    """Return what stands behind the column chunks, with metadata set by key."""
    content = write_struct(_annotate(footer, notes))
    return content + len(content).to_bytes(4, "little") + MAGIC


def _annotate(footer: Struct, notes: Mapping[str, str]) -> Struct:
    given = {key.encode(): value.encode() for key, value in notes.items()}
    old = footer[_NOTES].value.values if _NOTES in footer else []
    kept = [note for note in old if note[1].value not in given]
    new = [{1: Typed(_BINARY, key), 2: Typed(_BINARY, value)} for key, value in given.items()]
    return {**footer, _NOTES: Typed(_LIST, Items(_STRUCT, kept + new))}


def move(footer: Struct, by: int) -> Struct:
    """Return the footer of the same row groups, ``by`` bytes further back; changes ``footer``."""
    for group in footer[_GROUPS].value.values:
        group.pop(_ORDINAL, None)
        _shift(group, _GROUP_OFFSET, by)
        for chunk in group[_CHUNKS].value.values:
            _shift(chunk, _CHUNK_OFFSET, by)
            # Page indexes hold places of their own and stay behind; readers do without.
            for index in _INDEXES:
                chunk.pop(index, None)
            for page in _PAGES:
                _shift(chunk[_META].value, page, by)
    return footer


def _shift(struct: Struct, number: int, by: int) -> None:
    """Move a place; 0 means that there is none."""
    if number in struct and struct[number].value > 0:
        struct[number] = Typed(_I64, struct[number].value + by)


def join(footers: list[Struct]) -> Struct:
    """Return the footer of all their row groups, which must be of one schema."""
    whole = dict(footers[0])
    groups = [group for footer in footers for group in footer[_GROUPS].value.values]
    whole[_ROWS] = Typed(_I64, sum(footer[_ROWS].value for footer in footers))
    whole[_GROUPS] = Typed(footers[0][_GROUPS].kind, Items(12, groups))
    return whole
