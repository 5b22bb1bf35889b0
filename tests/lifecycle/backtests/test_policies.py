from __future__ import annotations

import pytest

from gleis.config.settings import DriftTrigger, TriggerSettings
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.backtests.policies import read_policy

OWN = TriggerSettings(drift=DriftTrigger(), cooldown="3d")


def test_policies():
    assert read_policy("never", OWN).triggers == TriggerSettings()
    assert read_policy("project", OWN).triggers is OWN
    assert read_policy("monthly", OWN).triggers.schedule == "0 0 1 * *"
    assert read_policy("every 30d", OWN).triggers.schedule == "every 30d"
    assert read_policy("0 3 * * 1", OWN).triggers.schedule == "0 3 * * 1"


@pytest.mark.parametrize(
    "policy", ["sometimes", "every now and then", "", "0 3 *", "99 0 * * *", "every 0d"]
)
def test_unknown(policy):
    with pytest.raises(ConfigError):
        read_policy(policy, OWN)
