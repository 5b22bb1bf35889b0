from __future__ import annotations

import pytest

from gleis.config.settings import DriftTrigger, TriggerSettings
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.policies import policy_triggers

OWN = TriggerSettings(drift=DriftTrigger(), cooldown="3d")


def test_policies():
    assert policy_triggers("never", OWN) == TriggerSettings()
    assert policy_triggers("project", OWN) is OWN
    assert policy_triggers("monthly", OWN).schedule == "0 0 1 * *"
    assert policy_triggers("every 30d", OWN).schedule == "every 30d"
    assert policy_triggers("0 3 * * 1", OWN).schedule == "0 3 * * 1"


@pytest.mark.parametrize("policy", ["sometimes", "every now and then", "", "0 3 *"])
def test_unknown(policy):
    with pytest.raises(ConfigError):
        policy_triggers(policy, OWN)
