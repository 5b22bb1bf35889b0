"""The code and the settings of docs/alarms.md work as they stand there."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import msgspec

from alarms_made import a_notice
from gleis.config.settings import AlarmSettings
from gleis.monitoring.delivery.receivers import make_receivers
from gleis.monitoring.delivery.signature import sign
from gleis.monitoring.delivery.webhook import Posted

PAGE = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text(encoding="utf-8")


def test_the_settings_are_taken():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    alarms = msgspec.convert(tomllib.loads(block)["alarms"], AlarmSettings)
    environment = {"OPS_HOOK_KEY": "k" * 32, "OPS_CHANNEL": "https://c.example.org/x",
                   "SMTP_PASSWORD": "p"}  # fmt: skip
    kinds = [receiver.kind for receiver in make_receivers(alarms, environment)]
    assert kinds == ["webhook", "slack", "email"]


def test_the_check_of_a_signature_works():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)
    key, now = b"k" * 32, int(time.time())
    assert names["is_genuine"](key, b"{}", sign(key, b"{}", now))
    assert not names["is_genuine"](key, b"{ }", sign(key, b"{}", now))
    assert not names["is_genuine"](key, b"{}", sign(key, b"{}", now - 400))
    assert not names["is_genuine"](b"x" * 32, b"{}", sign(key, b"{}", now))


def test_every_field_is_described():
    table = PAGE.split("## Webhook")[1].split("Any 2xx")[0]
    described = set(re.findall(r"`(\w+)`", table))
    assert set(Posted.__struct_fields__) <= described
    assert set(a_notice().state.__struct_fields__) <= described
