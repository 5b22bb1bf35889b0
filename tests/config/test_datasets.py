from __future__ import annotations

import pytest

from gleis.config.datasets import dataset_spec, dataset_specs
from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError, RegistryError

BASIC = """
[project]
name = "p"
module = "p"
task = "binary"
target = "late"
time = "at"
"""


@pytest.fixture
def read(tmp_path):
    def read(more):
        (tmp_path / "gleis.toml").write_text(BASIC + more)
        return load_settings(tmp_path, environment={})

    return read


def test_a_table_beside(read):
    settings = read('[datasets.weather]\nfrom = "drop/*.csv"\ntime = "seen"\nknown = "came"\n')
    own, weather = dataset_specs(settings)
    assert (own.name, own.time, own.target, own.source) == ("p", "at", "late", None)
    assert (weather.source, weather.time, weather.known) == ("drop/*.csv", "seen", "came")
    assert weather.target is None
    with pytest.raises(RegistryError, match="Did you mean weather"):
        dataset_spec(settings, "wether")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[datasets.p]", "another name than the project's"),
        ('[datasets."a b"]', "letters, digits"),
        ('[datasets.w]\nknown = "came"', r"datasets.w.known needs datasets.w.time"),
        ('[datasets.w]\nfro = "x"', "fro is no key"),
        ('[datasets.w]\nevery = "1h"', r"datasets.w.every needs datasets.w.from"),
        ('[datasets.w]\nfrom = "x"\nevery = "0s"', "at least 1s"),
        ('[datasets.w]\ncsv = { separator = ", " }', "not one character"),
        ('[datasets.w]\ncsv = { encoding = "klingon" }', "encoding is not known"),
        ('[datasets.w]\ntypes = { a = "int" }', "int"),
        ("[data]\nmax_failing = 2", "data.max_failing is no share"),
        ('[data]\nfailing = "drop"', "none of refuse, quarantine"),
    ],
)
def test_what_cannot_be(read, text, said):
    with pytest.raises(ConfigError, match=said):
        read(text)
