"""Both kernels, the one in C compiled from the source as it is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gleis.evidence.explain import shap_native
from gleis.store.native_code import build_native


@pytest.fixture(scope="session")
def fresh_library(tmp_path_factory):
    built = build_native(shap_native.SOURCE, tmp_path_factory.mktemp("kernel"))
    before = shap_native.LIBRARY
    if built is not None:
        shap_native.LIBRARY = built
    shap_native.library.cache_clear()
    yield built
    shap_native.LIBRARY = before
    shap_native.library.cache_clear()


@pytest.fixture(params=["native", "plain"])
def kernel(request, fresh_library):
    if request.param == "native" and fresh_library is None:
        assert shutil.which("cc") is None, "there is a compiler, and it fails"
        pytest.skip("no C compiler")
    return request.param
