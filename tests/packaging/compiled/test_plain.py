"""The kernel in C and the one in numpy give the same bits, whatever they are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.packaging.compiled import native
from gleis.packaging.compiled.form import KINDS, LINKS, OPS, Linear, Trees
from gleis.packaging.compiled.grove import Tree, lay_out
from gleis.packaging.compiled.native import NativeKernel
from gleis.packaging.compiled.plain import PlainKernel
from gleis.packaging.compiled.symbols import Number, Step, feature_arrays

NUMBERS = st.one_of(
    st.floats(width=32),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 31.0, 32.0, -1.0, -0.5, 1e-36, np.inf, np.nan, 1e300]),
)
STEPS = st.one_of(
    st.builds(Step, st.sampled_from(["fill", "sub", "div", "mul", "add"]), a=NUMBERS),
    st.builds(lambda a, b: Step("clip", min(a, b), max(a, b)), st.floats(-9, 9), st.floats(-9, 9)),
    st.sampled_from([Step("isnan"), Step("float32"), Step("finite", 1.0), Step("finite")]),
    st.builds(
        lambda op, t: Step(op, table=tuple(t)),
        st.sampled_from(["table", "allow"]),
        st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=2, max_size=6),
    ),
    st.builds(
        lambda op, t: Step(op, table=tuple(sorted(t))),
        st.sampled_from(["match", "bin"]),
        st.lists(st.floats(-3, 3), max_size=4, unique=True),
    ),
)
N_INPUTS = 3


@st.composite
def random_tree(draw, width, outputs):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    inner = draw(st.integers(0, 6))
    n = 2 * inner + 1
    left, right = np.full(n, -1), np.full(n, -1)
    open_, following = [0], 1
    for _ in range(inner):
        node = open_.pop(int(rng.integers(len(open_))))
        left[node], right[node] = following, following + 1
        open_ += [following, following + 1]
        following += 2
    kind = np.where(left >= 0, rng.integers(0, len(KINDS), n), 0)
    sets = {
        int(i): rng.random(int(rng.integers(0, 70))) < 0.5
        for i in np.flatnonzero(kind == KINDS.index("category"))
    }
    return Tree(
        feature=rng.integers(0, N_INPUTS, n),
        threshold=rng.choice([0.0, 1.0, -1.0, 0.5, 1e-36, 31.0], n),
        left=left,
        right=right,
        default_left=rng.random(n) < 0.5,
        value=rng.normal(size=(n, width)),
        cover=np.ones(n),
        kind=kind,
        sets=sets,
        target=int(rng.integers(0, outputs - width + 1)),
    )


@st.composite
def nodes(draw):
    chains = draw(st.lists(st.lists(STEPS, max_size=3), min_size=N_INPUTS, max_size=N_INPUTS))
    symbols = [Number(i, tuple(steps)) for i, steps in enumerate(chains)]
    outputs = draw(st.integers(1, 3))
    link = draw(st.sampled_from(LINKS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = feature_arrays(symbols, ()) | {"init": rng.normal(size=outputs)}
    if draw(st.booleans()):
        arrays["coef"] = rng.normal(size=(outputs, N_INPUTS))
        return Linear(id="0", outputs=outputs, link=link), arrays
    width = draw(st.integers(1, outputs))
    trees = draw(st.lists(random_tree(width, outputs), min_size=1, max_size=11))
    node = Trees(
        id="0",
        outputs=outputs,
        link=link,
        divide=draw(st.sampled_from([1.0, 3.0])),
        single=draw(st.booleans()),
    )
    return node, arrays | lay_out(trees)


@settings(max_examples=300, deadline=None)
@given(nodes(), st.lists(st.tuples(*[NUMBERS] * N_INPUTS), min_size=1, max_size=21))
def test_both_kernels_give_the_same_bits(node, rows):
    if native.library() is None:
        pytest.skip("no C compiler")
    part, arrays = node
    matrix = np.array(rows, dtype=np.float64)
    fast, plain = NativeKernel(part, arrays, N_INPUTS), PlainKernel(part, arrays, N_INPUTS)
    seen, refused = fast.features(matrix)
    assert refused == plain.features(matrix)[1]
    if refused:
        assert fast.score(matrix)[1] == plain.score(matrix)[1] == refused
        return
    same(seen, plain.features(matrix)[0])
    scores = fast.score(matrix)[0]
    same(scores, plain.score(matrix)[0])
    row, _ = fast.score_row(matrix[:1].tobytes())
    same(np.array(row[:]), scores[0])


def same(a, b):
    """Equal bits; which NaN it is says nothing."""
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    known = ~np.isnan(a)
    np.testing.assert_array_equal(a[known].view(np.uint64), b[known].view(np.uint64))


def test_a_library_of_another_layout_is_not_used(monkeypatch):
    if native.library() is None:
        pytest.skip("no C compiler")
    monkeypatch.setattr(native, "_LAYOUT", 99)
    native.library.cache_clear()
    try:
        assert native.library() is None
    finally:
        monkeypatch.undo()
        native.library.cache_clear()


def test_every_step_has_its_place_in_the_c_source():
    first = native.SOURCE.read_text().split("enum {")[1].split("}")[0]
    assert [w.strip().lower() for w in first.split(",")] == list(OPS)
