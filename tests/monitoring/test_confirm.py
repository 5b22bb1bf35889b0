import msgspec
import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2, chi2_contingency, ttest_ind

from gleis.contracts.alarm import Alarm
from gleis.contracts.errors import DataError
from gleis.contracts.profile import Profile, Reference
from gleis.data.profile import profile, sketch_number
from gleis.monitoring.confirm import _margin, confirm, differ
from monitoring.matches import START

RNG = np.random.default_rng(0)
TEMP, LOSS = RNG.normal(10, 2, 20_000), RNG.exponential(0.5, 20_000)
FEATURES = profile(pl.DataFrame({"temp": TEMP}), ["temp"])
SCORES = profile(pl.DataFrame({"score": RNG.random(5000)}), ["score"])
REFERENCE = Reference(features=FEATURES, scores=SCORES, loss=sketch_number(LOSS))
ALARM = Alarm(
    id="drift-1",
    kind="drift",
    at=START,
    subject="temp",
    also=(),
    evidence=3.0,
    threshold=1.3,
    promise="",
    effect=0.3,
    since=None,
    rows=100,
    version=1,
    message="",
)
LOSS_ALARM = msgspec.structs.replace(ALARM, kind="performance", subject="loss")


def fresh(mean, rows=2000):
    return profile(pl.DataFrame({"temp": RNG.normal(mean, 2, rows)}), ["temp"], like=FEATURES)


def fresh_loss(mean, rows=2000):
    sketch = sketch_number(RNG.exponential(mean, rows), like=REFERENCE.loss)
    return Profile(rows=rows, columns={"loss": sketch})


def test_a_real_change_is_confirmed_and_a_passing_one_is_not():
    assert confirm(ALARM, REFERENCE, fresh(11.5), 0.1) is True
    assert confirm(ALARM, REFERENCE, fresh(10.0), 0.1) is False


def test_sure_but_small_is_not_confirmed():
    small = fresh(10.2, 50_000)
    assert confirm(ALARM, REFERENCE, small, 0.0) is True
    assert confirm(ALARM, REFERENCE, small, 0.1) is False


def test_it_waits_for_enough_rows():
    assert confirm(ALARM, REFERENCE, fresh(12.0, 499), 0.1) is None


def test_loss_is_tested_by_its_mean():
    assert confirm(LOSS_ALARM, REFERENCE, fresh_loss(0.6), 0.05) is True
    assert confirm(LOSS_ALARM, REFERENCE, fresh_loss(0.6), 0.5) is False
    assert confirm(LOSS_ALARM, REFERENCE, fresh_loss(0.3), 0.0) is False


def test_margin_is_welch():
    rng = np.random.default_rng(1)
    agreed = 0
    for _ in range(200):
        values = rng.exponential(0.53, 1000)
        margin = _margin(REFERENCE.loss, sketch_number(values, like=REFERENCE.loss))
        ours = values.mean() - LOSS.mean() > margin
        welch = ttest_ind(values, LOSS, equal_var=False, alternative="greater").pvalue < 0.01
        agreed += ours == welch
    assert agreed >= 198  # the normal limit differs from Student's t only at the very edge


@pytest.mark.parametrize("bins", [2, 3, 10, 35])
def test_chi_square_agrees_with_scipy(bins):
    rng = np.random.default_rng(bins)
    shares = rng.dirichlet([5.0] * bins)
    agreed = edge = 0
    for i in range(200):
        first = rng.multinomial(4000, shares)
        tilted = shares * np.exp((i % 4) * 0.1 * rng.normal(size=bins))
        second = rng.multinomial(1500, tilted / tilted.sum())
        result = chi2_contingency(np.stack((first, second)), correction=False)
        close = abs(result.statistic / chi2.ppf(0.99, bins - 1) - 1) < 0.011
        edge += close
        agreed += close or differ(first, second) == (result.pvalue < 0.01)
    assert agreed == 200
    assert edge < 20


def test_chi_square_keeps_its_level_with_rare_bins():
    rng = np.random.default_rng(2)
    shares = np.array([0.5, 0.4, 0.09, 0.009, 0.0005, 0.0005])
    wrong = [
        differ(rng.multinomial(20_000, shares), rng.multinomial(500, shares)) for _ in range(2000)
    ]
    assert np.mean(wrong) < 0.02


def test_one_bin_cannot_differ():
    assert differ(np.array([10, 0]), np.array([500, 0])) is False


def test_unknown_subjects_and_other_bins_are_refused():
    wind = msgspec.structs.replace(ALARM, subject="wind")
    with pytest.raises(DataError, match="wind"):
        confirm(wind, REFERENCE, fresh(10.0), 0.1)
    other = profile(pl.DataFrame({"wind": [1.0, 2.0], "temp": [1.0, 2.0]}), ["wind", "temp"])
    with pytest.raises(DataError, match="wind"):
        confirm(wind, REFERENCE, other, 0.1)
    with pytest.raises(DataError, match="temp"):
        confirm(ALARM, REFERENCE, other, 0.1)
