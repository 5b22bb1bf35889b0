from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.figure import Figure
from gleis.contracts.verdict import GateResult
from gleis.lifecycle.gate_marks import gate_mark


def result(asked, value, low, high, gate="f1"):
    figure = Figure(value=value, low=low, high=high)
    return GateResult(gate=gate, asked=asked, measured=figure, status="pass", reason="")


@given(
    low=st.floats(-1e6, 1e6),
    widths=st.tuples(st.floats(0, 1e3), st.floats(0, 1e3)),
    bound=st.integers(-1000, 1000),
    relation=st.sampled_from([">=", "<=", ">", "<"]),
)
def test_everything_lies_in_the_picture(low, widths, bound, relation):
    value, high = low + widths[0], low + widths[0] + widths[1]
    mark = ElementTree.fromstring(gate_mark(result(f"{relation} {bound}", value, low, high)))
    line, dot = mark.findall("line")[-1], mark.find("circle")
    ends = [float(line.get("x1")), float(dot.get("cx")), float(line.get("x2"))]
    assert ends == sorted(ends)
    assert 0 <= ends[0] <= ends[2] <= 170
    shade = mark.find("rect")
    assert float(shade.get("width")) > 0


@pytest.mark.parametrize(
    ("asked", "rising"),
    [(">= 0.5", True), ("<= 0.5", False), ("better than champion by 0.01", True)],
)
def test_the_side_on_which_it_holds_is_shaded(asked, rising):
    shade = ElementTree.fromstring(gate_mark(result(asked, 0.4, 0.3, 0.6))).find("rect")
    assert (float(shade.get("x")) > 0) == rising


def test_what_cannot_be_drawn():
    unknown = GateResult(gate="f1", asked="> 0", measured=None, status="unknown", reason="")
    assert gate_mark(unknown) == ""
    assert gate_mark(result("exists", 0.5, 0.4, 0.6, gate="baseline")) == ""
