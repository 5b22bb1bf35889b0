from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.store.thrift import Items, Typed, read_struct, write_struct

_PLAIN = st.one_of(
    st.sampled_from([4, 5, 6]).flatmap(
        lambda kind: st.integers(-(2**63), 2**63 - 1).map(lambda value: Typed(kind, value))
    ),
    st.booleans().map(lambda truth: Typed(1 if truth else 2, truth)),
    st.binary(max_size=40).map(lambda text: Typed(8, text)),
    st.binary(min_size=8, max_size=8).map(lambda real: Typed(7, real)),
)
_LISTS = st.lists(st.integers(-(2**31), 2**31), max_size=40).map(
    lambda values: Typed(9, Items(6, values))
)
_TRUTHS = st.lists(st.booleans(), max_size=20).map(lambda values: Typed(9, Items(1, values)))


def _structs(inner):
    field = st.integers(1, 2000)
    nested = inner.map(lambda struct: Typed(12, struct))
    many = st.lists(inner, max_size=20).map(lambda structs: Typed(9, Items(12, structs)))
    return st.dictionaries(field, st.one_of(_PLAIN, _LISTS, _TRUTHS, nested, many), max_size=6)


STRUCTS = st.recursive(st.just({}), _structs, max_leaves=6)


@given(STRUCTS)
def test_what_is_written_is_read(struct):
    assert read_struct(write_struct(struct)) == struct


@given(STRUCTS, st.data())
def test_a_cut_struct_is_refused(struct, data):
    content = write_struct(struct)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError, match="ends too early"):
        read_struct(content[:cut])


def test_a_map_is_refused():
    with pytest.raises(ValueError, match="type 11"):
        read_struct(b"\x1b\x00\x00")
