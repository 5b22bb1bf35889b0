"""What an alarm means to the model: which columns matter, and what is to be expected."""

from __future__ import annotations

import msgspec

from gleis.config.settings import TriggerSettings
from gleis.contracts.alarm import Alarm, Expected
from gleis.contracts.evidence import Evidence


def give_meaning(
    alarm: Alarm, evidence: Evidence, expected: Expected | None, triggers: TriggerSettings
) -> Alarm:
    """Complete an alarm with what it means.

    Parameters
    ----------
    alarm : Alarm
        With ``moved`` as the watch knows it.
    evidence : Evidence
        Of the version it was held against, for the importance of its features.
    expected : Expected, optional
        What answers since the change are expected to be worth.
    triggers : TriggerSettings
        A rise below ``performance.min_effect`` does not matter.
    """
    return msgspec.structs.replace(alarm, expected=expected)
