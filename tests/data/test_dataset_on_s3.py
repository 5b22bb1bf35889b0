"""The life of a dataset whose table is in a bucket."""

from __future__ import annotations

import polars as pl
import pytest

from gleis.config.data_settings import DatasetSettings
from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import RegistryError
from gleis.data.dataset import Datasets
from gleis.data.erasing.rewrite import erase_rows
from gleis.data.verifying import hold, repair
from gleis.store.home import Home
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.patience import Patience


@pytest.fixture
def weather(tmp_path, s3, clock):
    settings = Settings(
        project=ProjectSettings(name="p", module="p", task="binary", target="late"),
        datasets={"weather": DatasetSettings(id="day", subject="who")},
    )
    home = Home(tmp_path / "state", store=s3, patience=Patience(seconds=5))
    yield Datasets(home, settings, clock, "weather")
    home.close()


def days(*numbers):
    return pl.DataFrame({"day": list(numbers), "who": [f"w{number % 2}" for number in numbers]})


def test_versions_are_made_removed_swept_and_erased(weather, clock, tmp_path):
    made = Provenance(
        source="w", since=None, until=None, loaded_at=clock.now(), loaded_by="me", code="c"
    )
    first, second = weather.append(days(1, 2), made), weather.append(days(3), made)
    assert weather.read(first).equals(days(1, 2))
    assert weather.read(second).equals(days(1, 2, 3))
    third = weather.replace(days(7, 8), made)
    weather.marks.remove(third.version, "me", clock.now())
    with pytest.raises(RegistryError, match="removed"):
        weather.get(third.label)
    weather.append(days(4), made)
    assert weather.read(weather.get("latest")).equals(days(1, 2, 3, 4))
    assert weather.sweep({1, 2, 4}).files == (), "they are younger than a day"
    erased = erase_rows(weather, {"w1"}, "me", clock.now())
    assert erased.rows == 2
    assert weather.read(weather.get(2)).equals(days(2))
    assert weather.read(weather.get("latest")).equals(days(2, 4))
    assert not (tmp_path / "state" / "datasets").exists()


def test_a_table_in_a_bucket_is_held_against_its_record_and_mended(weather, clock):
    made = Provenance(
        source="w", since=None, until=None, loaded_at=clock.now(), loaded_by="me", code="c"
    )
    for numbers in ((1, 2), (3,), (4, 5)):
        weather.append(days(*numbers), made)
    assert hold(weather).whole
    bucket = open_objects(weather.home.store, weather.home.patience)
    key = f"datasets/weather/_delta_log/{1:020}.json"
    bucket.put(key, bucket.get(key)[:-30])
    assert [each.version for each in hold(weather).damaged] == [2, 3]
    assert repair(weather).whole
    assert weather.read(weather.get(3)).equals(days(1, 2, 3, 4, 5))
    bucket.delete(f"datasets/weather/{weather.table.files()[-1].name}")
    assert [each.version for each in hold(weather).damaged] == [3]
