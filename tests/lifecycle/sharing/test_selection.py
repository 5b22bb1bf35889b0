from __future__ import annotations

import pytest

from gleis.contracts.errors import ConfigError
from gleis.lifecycle.sharing.selection import read_selection


def test_all_but_what_is_live():
    found = read_selection([])
    assert found.has_dataset("weather", 3)
    assert found.has_run("r1", ())
    assert found.has_version(5)
    assert "live" not in found.parts
    assert read_selection([], live=True).parts == found.parts | {"live"}


def test_single_things():
    found = read_selection(["weather@v3", "weather@2", "v5", "r20130601-000001-abcdef"])
    assert [found.has_dataset("weather", number) for number in (1, 3, 4)] == [True, True, False]
    assert not found.has_dataset("other", 1)
    assert found.has_version(5)
    assert not found.has_version(4)
    assert found.has_run("r20130601-000001-abcdef", ())
    assert found.has_run("of v5", {"of v5"})
    assert not found.has_run("another", {"of v5"})


@pytest.mark.parametrize("text", ["dataset", "live", "weather@", "5", "v", "", "weather@next"])
def test_what_names_nothing(text):
    with pytest.raises(ConfigError, match="--only") as raised:
        read_selection([text])
    assert raised.value.field == "--only"
    assert ("Did you mean datasets?" in raised.value.remedy) == (text == "dataset")
