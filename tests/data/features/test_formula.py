from __future__ import annotations

import numpy as np
import pytest

from gleis.contracts.errors import ProjectError
from gleis.data.features.formula import ELEMENTWISE, make_formula


def made(body, parameters="x"):
    return make_formula(f"LIMIT = 3\ndef f({parameters}):\n    {body}\n", "f")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os", "import"),
        ("return {'y': x.mean()}", r"\.mean"),
        ("return {'y': np.mean(x)}", "np.mean cannot travel"),
        ("return {'y': np.load('f')}", "np.load cannot travel"),
        ("return {'y': x.__class__}", "__class__"),
        ("return {'y': ().__class__.__bases__}", "__bases__"),
        ("return {'y': __builtins__}", "__builtins__"),
        ("return {'y': [v for v in x]}", "listcomp"),
        ("return {'y': (lambda: x)()}", "lambda"),
        ("return {'y': x[0]}", "subscript"),
        ("return {'y': f'{x}'}", "joinedstr"),
        ("return {'y': 1 if x else 2}", "np.where"),
        ("return {'y': x > 1 and x < 3}", "Write & and"),
        ("return {'y': 1 < x < 3}", r"Write \(a < b\)"),
        ("return {'y': not x}", "Write ~"),
        ("return {'y': x is None}", "np.isnan"),
        ("for i in x: pass", "for"),
        ("while True: pass", "while"),
        ("y: int = (z := 3)", "namedexpr"),
        ("x.y = 3", "assignment to x.y"),
        ("global x", "global"),
        ("yield x", "yield"),
        ("return {'y': b''}", "b''"),
    ],
)
def test_what_does_more_than_calculate_is_refused(body, said):
    with pytest.raises(ProjectError, match=said):
        made(body)


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "X = open('f')",
        "class A: pass",
        "@f\ndef f(x): return x",
        "def f(x, y=open('f')): return x",
        "def f(*x): return x",
        "f = lambda x: x",
        "X = {}",
        "def f(x): return {'y': f(x)}",
        "def f(x): return g(x)\ndef g(x): return f(x)",
        "def g(x): return x",
    ],
)
def test_text_that_is_no_function_of_columns_is_refused(text):
    with pytest.raises(ProjectError):
        make_formula(text, "f")


def test_python_is_out_of_reach():
    with pytest.raises(NameError):
        made("return {'y': eval}")(1)
    with pytest.raises(NameError):
        made("return {'y': getattr(x, 'real')}")(1)


def test_it_calculates():
    body = "y = np.where(np.isnan(x), -1.0, x * LIMIT)\n    y += 1\n    return {'y': abs(y)}"
    assert made(body)(np.array([2.0, np.nan]))["y"].tolist() == [7.0, 0.0]


def test_what_may_be_called_treats_each_row_by_itself():
    """Each function gives a row alone what it gives it among others, to the last bit."""
    x, y = np.random.default_rng(0).uniform(0.1, 0.9, (2, 33))
    for name in sorted(ELEMENTWISE - {"where", "clip", "select", "isin"}):
        function = getattr(np, name)
        columns = (x, y)[: getattr(function, "nin", 1)]
        if getattr(function, "nin", 1) > 2:
            continue
        whole = np.asarray(function(*columns))
        alone = [np.asarray(function(*(c[at : at + 1] for c in columns)))[0] for at in range(33)]
        assert whole.shape == (33,), name
        assert whole.tolist() == alone, name
