"""``[alarms]``: what is refused, and that no refusal shows a secret."""

from __future__ import annotations

import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError
from small_projects import make_shifting

MAIL = {"alarms.email": ["ops@example.org"], "alarms.smtp": "smtp://mail.example.org",
        "alarms.sender": "gleis@example.org"}  # fmt: skip
TOKEN = "T0K3N-THAT-NOBODY-MAY-SEE"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_shifting(tmp_path_factory.mktemp("alarms") / "p")


@pytest.mark.parametrize(
    "flags",
    [
        {"alarms.webhook": ["https://ops.example.org/x?y=1", "http://127.0.0.1:9/", "env:HOOK"]},
        {"alarms.slack": ["env:SLACK_HOOK", "https://hooks.example.org/services/a/b/c"]},
        MAIL,
        MAIL | {"alarms.smtp_user": "gleis", "alarms.smtp_password_from": "SMTP_PASSWORD"},
        {"alarms.kinds": ["drift", "labels"], "alarms.link": "http://127.0.0.1:8000"},
    ],
)
def test_what_is_taken(folder, flags):
    load_settings(folder, flags, environment={})


@pytest.mark.parametrize(
    ("flags", "field", "says"),
    [
        ({"alarms.webhook": [f"http://ops.example.org/{TOKEN}"]}, "webhook", "https"),
        ({"alarms.webhook": [f"ftp://ops.example.org/{TOKEN}"]}, "webhook", "https"),
        ({"alarms.webhook": [f"https:///{TOKEN}"]}, "webhook", "not an address"),
        ({"alarms.webhook": [f"https://h:99999/{TOKEN}"]}, "webhook", "not an address"),
        ({"alarms.webhook": [f"https://h/{TOKEN}\r\nX: y"]}, "webhook", "not an address"),
        ({"alarms.webhook": [f"https://me:{TOKEN}@h/"]}, "webhook", "password"),
        ({"alarms.slack": [TOKEN]}, "slack", "not an address"),
        ({"alarms.slack": ["env:NOT A NAME"]}, "slack", "variable"),
        ({"alarms.slack": ["env:GLEIS_HOOK"]}, "slack", "GLEIS_"),
        ({"alarms.webhook_secret_from": f"{TOKEN}"}, "webhook_secret_from", "not the secret"),
        ({"alarms.webhook_secret_from": "GLEIS_KEY"}, "webhook_secret_from", "GLEIS_"),
        ({"alarms.email": ["ops@example.org"]}, "smtp", "needs alarms.smtp"),
        (MAIL | {"alarms.email": ["Ops <ops@example.org>"]}, "email", "display name"),
        (MAIL | {"alarms.sender": "x@y.z\r\nBcc: a@b.c"}, "sender", "e-mail address"),
        (MAIL | {"alarms.smtp": f"smtp://me:{TOKEN}@mail"}, "smtp", "smtp_password_from"),
        (MAIL | {"alarms.smtp": "mail.example.org"}, "smtp", "mail server"),
        (MAIL | {"alarms.smtp": "smtp://mail:x"}, "smtp", "mail server"),
        (MAIL | {"alarms.smtp_user": "me"}, "smtp_user", "belong together"),
        ({"alarms.kinds": ["drfit"]}, "kinds", "drift"),
        ({"alarms.link": "javascript:alert(1)"}, "link", "https"),
        ({"alarms.give_up": "1s"}, "give_up", "1min"),
    ],
)
def test_what_is_refused(folder, flags, field, says):
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(folder, flags, environment={})
    assert caught.value.field == f"alarms.{field}"
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("key", ["alarms.slack", "alarms.webhook", "alarms.slak"])
def test_an_address_of_the_wrong_type_or_under_a_wrong_key_is_not_shown(folder, key):
    with pytest.raises(ConfigError) as caught:
        load_settings(folder, {key: f"https://hooks.example.org/{TOKEN}"}, environment={})
    assert caught.value.field == key
    assert TOKEN not in str(caught.value)
