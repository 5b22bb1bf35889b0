"""Both kernels, the one in C compiled from the source as it is."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from gleis.packaging.compiled import native
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel
from gleis.store.native_code import build_native


@pytest.fixture(scope="session", autouse=True)
def fresh_library(tmp_path_factory):
    built = build_native(native.SOURCE, tmp_path_factory.mktemp("kernel"))
    before = native.LIBRARY
    if built is not None:
        native.LIBRARY = built
    native.library.cache_clear()
    yield built
    native.LIBRARY = before
    native.library.cache_clear()


@pytest.fixture(params=["native", "plain"])
def kernel(request, fresh_library):
    if request.param == "native" and fresh_library is None:
        assert shutil.which("cc") is None, "there is a compiler, and it fails"
        pytest.skip("no C compiler")
    return request.param


@pytest.fixture(scope="session")
def same_bits():
    """Scores of both kernels, which must agree to the last bit."""

    def ask(form, matrix):
        plain = CompiledModel(form, "plain").score(matrix)
        if native.library() is not None:
            fast = CompiledModel(form, "native").score(matrix)
            np.testing.assert_array_equal(fast.view(np.uint64), plain.view(np.uint64))
            by_row = [CompiledModel(form, "native").score(row[None]) for row in matrix[:20]]
            np.testing.assert_array_equal(np.concatenate(by_row), fast[:20])
        return plain

    return ask


@pytest.fixture
def fitted(shops):
    """Fit an estimator on shops."""

    def fit(estimator, task, n_rows=600):
        contract, rows = shops.contract(task), shops.rows(n_rows)
        target = shops.target(rows, task)
        if task == "regression":
            target = np.abs(target) + 0.1
        return SklearnModel(estimator.fit(SklearnModel.frame(rows, contract), target), contract)

    return fit


@pytest.fixture
def columns(shops):
    """Rows training has not seen: missing values, an unseen shop."""

    def draw(n_rows=1_500, unseen=True):
        frame = shops.rows(n_rows, seed=5)
        out = {name: frame[name].to_list() for name in frame.columns}
        if unseen:
            out["shop"] = ["new" if i % 7 == 0 else s for i, s in enumerate(out["shop"])]
        return out

    return draw
