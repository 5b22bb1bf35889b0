from __future__ import annotations

import pytest

from gleis.contracts.errors import DataError
from gleis.data.columns import feature_names

COLUMNS = ["id", "at", "g", "temp", "wind", "late"]


def test_roles_are_no_features(make_settings):
    settings = make_settings(id="id", time="at", split={"by": "group", "group": "g"})
    assert feature_names(COLUMNS, settings) == ("temp", "wind")


def test_include_and_exclude_keep_the_order_of_the_columns(make_settings):
    include = make_settings(features={"include": ("wind", "temp")})
    assert feature_names(COLUMNS, include) == ("temp", "wind")
    exclude = make_settings(features={"exclude": ("wind",)})
    assert feature_names(COLUMNS, exclude) == ("id", "at", "g", "temp")


@pytest.mark.parametrize("key", ["include", "exclude"])
def test_a_column_that_is_not_there_is_named_with_a_guess(make_settings, key):
    with pytest.raises(DataError, match=rf"features\.{key}.*'temq'.*Did you mean 'temp'"):
        feature_names(COLUMNS, make_settings(features={key: ("temq",)}))


def test_nothing_left(make_settings):
    with pytest.raises(DataError, match="No feature is left"):
        feature_names(["id", "late"], make_settings(id="id"))
