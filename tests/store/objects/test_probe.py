from __future__ import annotations

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.objects import FolderObjects
from gleis.store.objects.patience import Patience
from gleis.store.objects.probe import probe


def test_a_bucket_and_a_folder_do(s3, tmp_path):
    for url in (s3, str(tmp_path / "store")):
        objects = open_objects(url, Patience(seconds=2))
        probe(objects)
        assert objects.list("probes") == []


def test_a_place_where_the_second_writer_wins_does_not(tmp_path):
    class Careless(FolderObjects):
        def create(self, key, content):
            self.put(key, content)
            return True

    with pytest.raises(StoreError, match="If-None-Match"):
        probe(Careless(tmp_path))
    assert list((tmp_path / "probes").iterdir()) == []
