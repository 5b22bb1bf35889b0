from __future__ import annotations

import ctypes
import shutil

import pytest

from gleis.store.native_code import build_all, build_native, load_native

SOURCE = """
#include <stdint.h>
int64_t gleis_kernel_layout(void) { return 3; }
int64_t twice(int64_t x) { return 2 * x; }
"""


@pytest.fixture
def source(tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    path = tmp_path / "double.c"
    path.write_text(SOURCE)
    return path


def test_what_is_built_beside_its_source_is_loaded(source):
    library = build_native(source)
    assert library == source.with_suffix(".so")
    found = load_native(library, 3)
    found.twice.restype = ctypes.c_int64
    assert found.twice(ctypes.c_int64(21)) == 42


def test_another_layout_or_no_library_is_none(source):
    assert load_native(source.with_suffix(".so"), 3) is None
    assert load_native(build_native(source), 4) is None
    (damaged := source.with_name("damaged.so")).write_bytes(b"not a library")
    assert load_native(damaged, 3) is None


def test_without_a_compiler_or_with_a_fault_nothing_is_left_behind(source, monkeypatch):
    source.write_text("int broken(")
    assert build_native(source) is None
    monkeypatch.setenv("PATH", "")
    assert build_native(source) is None
    assert [path.name for path in source.parent.iterdir()] == ["double.c"]


def test_all_of_a_package_is_built(source):
    (deep := source.parent / "room" / "shelf").mkdir(parents=True)
    shutil.copy(source, deep / "other.c")
    assert {library.name for library in build_all(source.parent)} == {"double.so", "other.so"}
    assert (deep / "other.so").exists()
