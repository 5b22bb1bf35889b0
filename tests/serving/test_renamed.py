import pytest

from gleis.serving.renamed import guess_rename


@pytest.mark.parametrize(
    ("missing", "unknown", "guess"),
    [
        (["temp"], ["degrees"], "Was temp renamed to degrees? "),
        (["wind_dir", "temp"], ["temperature", "windDir"], "Was wind_dir renamed to windDir? "),
        (["temp", "visib"], ["zzz", "qqq"], ""),
        (["temp"], [], ""),
        (["temp"], [7], ""),
    ],
)
def test_the_nearest_unknown_field_is_asked_about(missing, unknown, guess):
    assert guess_rename(missing, unknown) == guess
