"""``gleis build monitoring``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from commands import gleis
from trained_projects import untrained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("building") / "flowers")


def test_the_folder_is_written_before_any_model_is_trained(folder, tmp_path):
    into = tmp_path / "watch"
    options = ("--target", "a.example:8000", "--target", "b.example:8000", "--key-file", "key")
    made = gleis(folder, "build", "monitoring", "--into", str(into), *options, "--json")
    assert made.code == 0, made.err
    files = json.loads(made.out)["files"]
    assert set(files) == {str(p.relative_to(into)) for p in into.rglob("*") if p.is_file()}
    [scraped] = yaml.safe_load((into / "prometheus.yml").read_text())["scrape_configs"]
    [static] = scraped["static_configs"]
    assert static == {
        "targets": ["a.example:8000", "b.example:8000"],
        "labels": {"model": "flowers"},
    }
    assert Path(scraped["authorization"]["credentials_file"]).is_absolute()


def test_by_default_it_is_the_service_of_this_project(folder, tmp_path):
    made = gleis(folder, "build", "monitoring", "--into", str(tmp_path / "w"))
    assert made.code == 0, made.err
    assert "prometheus --config.file=" in made.out
    [scraped] = yaml.safe_load((tmp_path / "w" / "prometheus.yml").read_text())["scrape_configs"]
    assert scraped["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
    assert "authorization" not in scraped


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--target", "http://localhost:8000", "a host and a port"),
        ("--alertmanager", "localhost", "a host and a port"),
        ("--prometheus", "localhost:9090", "begins with http"),
        ("--webhook", "localhost:9095", "begins with http"),
    ],
)
def test_an_address_that_is_none_is_refused_and_nothing_written(
    folder, tmp_path, option, value, said
):
    into = tmp_path / "watch"
    refused = gleis(folder, "build", "monitoring", "--into", str(into), option, value)
    assert refused.code == 2
    assert said in refused.err
    assert value in refused.err
    assert not into.exists()


def test_a_folder_that_is_there_is_left_alone(folder, tmp_path):
    into = tmp_path / "watch"
    into.mkdir()
    refused = gleis(folder, "build", "monitoring", "--into", str(into))
    assert refused.code == 2
    assert "The folder is there already" in refused.err
    assert not list(into.iterdir())
