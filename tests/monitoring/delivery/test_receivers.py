"""Who is told, what they get, and that no secret is in it."""

from __future__ import annotations

import email.utils
import re
from email import message_from_string
from email.policy import default

import msgspec
import pytest

from alarms_made import NIGHT, a_notice, an_alarm
from certificates import Authority
from gleis.config.settings import AlarmSettings
from gleis.contracts.alarm import Moved
from gleis.contracts.errors import ConfigError
from gleis.contracts.notice import short_id
from gleis.monitoring.delivery.mail import Mail, MailServer, write_mail
from gleis.monitoring.delivery.posting import LARGEST
from gleis.monitoring.delivery.receivers import make_receivers
from gleis.monitoring.delivery.signature import verify
from gleis.monitoring.delivery.slack import message
from gleis.monitoring.delivery.webhook import Posted, payload
from hook_servers import Hook, Post, free_port

KEY = "a key of thirty-two hexadecimals"


def _only(settings, environment=None):
    (receiver,) = make_receivers(settings, environment or {})
    return receiver


def test_a_webhook_gets_signed_json_with_a_key_against_doubles():
    with Hook() as hook:
        settings = AlarmSettings(webhook=(hook.url,), webhook_secret_from="HOOK_KEY")
        receiver = _only(settings, {"HOOK_KEY": KEY})
        assert receiver.send(a_notice(), NIGHT).outcome == "delivered"
    ((headers, body),) = hook.posts
    posted = msgspec.json.decode(body, type=Posted)
    assert posted == payload(a_notice(), receiver.name)
    assert posted.alarm == an_alarm()
    assert (posted.schema, posted.event, posted.project) == (
        "gleis.alarm/1", "alarm", "punctuality",
    )  # fmt: skip
    assert headers["Idempotency-Key"] == posted.key
    assert verify(KEY.encode(), body, headers["Gleis-Signature"], NIGHT.timestamp())
    assert not verify(KEY.encode(), body + b" ", headers["Gleis-Signature"], NIGHT.timestamp())
    assert not verify(KEY.encode(), body, headers["Gleis-Signature"], NIGHT.timestamp() + 301)
    assert not verify(b"another", body, headers["Gleis-Signature"], NIGHT.timestamp())


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=ab", "t=x,v1=ab", "t=1364785920", "t=²,v1=a"])
def test_a_signature_that_is_none_is_refused(header):
    assert not verify(b"key", b"{}", header, NIGHT.timestamp())


def test_the_key_against_doubles_differs_by_thing_and_by_receiver():
    keys = {
        payload(notice, name).key
        for notice in (a_notice(), a_notice("resolved"), a_notice(alarm=an_alarm(2)))
        for name in ("webhook a", "webhook b")
    }
    assert len(keys) == 6
    assert payload(a_notice(), "webhook a").key in keys


def test_an_alarm_about_a_thousand_columns_stays_small():
    moved = tuple(Moved(column=f"c{n}" * 20, psi=1.0, js=0.5, says="w" * 50) for n in range(999))
    alarm = an_alarm(moved=moved, also=tuple(one.column for one in moved))
    assert len(msgspec.json.encode(payload(a_notice(alarm=alarm), "webhook x"))) < LARGEST / 2
    assert len(msgspec.json.encode(message(a_notice(alarm=alarm)))) < LARGEST / 2


def test_a_chat_message_is_what_three_chats_understand():
    said = message(a_notice())
    assert set(said) == {"text", "attachments"}
    assert said["text"] == "*punctuality: drift alarm: `temp` rose from a median of 35.1 to 52*"
    (attachment,) = said["attachments"]
    known = {"color", "fallback", "text", "title", "title_link", "mrkdwn_in"}
    assert set(attachment) == known
    assert f"`gleis alarms ack {short_id(an_alarm().id)}`" in attachment["text"]
    assert "at most 1 false alarm per year" in attachment["fallback"]


def test_a_column_cannot_call_a_whole_channel():
    said = message(
        a_notice(alarm=an_alarm(subject="<!channel>", message="<!here> & <@U1>", moved=()))
    )
    text = said["text"] + said["attachments"][0]["text"]
    assert "<" not in text
    assert "&lt;!here&gt; &amp; &lt;@U1&gt;" in text


@pytest.mark.parametrize("tls", [True, False])
def test_a_mail_over_starttls_with_a_login(tmp_path, monkeypatch, tls):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with Post(authority.issue("mail") if tls else None, {"gleis": "s3cret"} if tls else None) as it:
        settings = AlarmSettings(
            email=("ops@example.org",),
            smtp=f"smtp://127.0.0.1:{it.port}",
            smtp_user="gleis" if tls else None,
            smtp_password_from="MAIL" if tls else None,
            sender="gleis@example.org",
        )
        receiver = _only(settings, {"MAIL": "s3cret"})
        assert receiver.send(a_notice(), NIGHT).said == "handed to the mail server"
    (mail,) = it.mails
    assert (
        mail["Subject"]
        == "[gleis] punctuality: drift alarm: `temp` rose from a median of 35.1 to 52"
    )
    assert (mail["From"], mail["To"]) == ("gleis@example.org", "ops@example.org")
    assert email.utils.parsedate_to_datetime(mail["Date"]) == NIGHT
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for part in ("expected log loss +0.012", "it retrains", "gleis alarms ack"):
        assert part in " ".join(text.split())
        assert part in html


def test_a_wrong_password_is_refused_and_not_shown(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with Post(authority.issue("mail"), {"gleis": "s3cret"}) as post:
        server = MailServer(host="127.0.0.1", port=post.port, tls=False, sender="g@x.y",
                            user="gleis", password="wr0ng-one")  # fmt: skip
        answer = Mail("email o@x.y", "o@x.y", server).send(a_notice(), NIGHT)
    assert answer.outcome == "refused"
    assert answer.said.startswith("SMTP 535")
    assert "wr0ng-one" not in answer.said


def test_a_stranger_s_certificate_gets_no_password(tmp_path):
    with Post(Authority(tmp_path).issue("mail"), {"gleis": "s3cret"}) as post:
        server = MailServer(host="127.0.0.1", port=post.port, tls=False, sender="g@x.y",
                            user="gleis", password="s3cret")  # fmt: skip
        answer = Mail("email o@x.y", "o@x.y", server).send(a_notice(), NIGHT)
    assert (answer.outcome, post.mails) == ("failed", [])
    assert answer.said.startswith("TLS:")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("550 no such mailbox", "refused"), ("451 greylisted, come again", "failed")],
)
def test_what_a_mail_server_says_decides(said, outcome):
    with Post(refuse=said) as post:
        server = MailServer(host="127.0.0.1", port=post.port, tls=False, sender="g@x.y")
        answer = Mail("email o@x.y", "o@x.y", server).send(a_notice(), NIGHT)
    assert (answer.outcome, answer.said) == (outcome, f"SMTP {said[:3]}: {said[4:]}")


def test_no_mail_server_there():
    server = MailServer(host="127.0.0.1", port=free_port(), tls=True, sender="g@x.y")
    answer = Mail("email o@x.y", "o@x.y", server).send(a_notice(), NIGHT)
    assert (answer.outcome, answer.said) == ("failed", "Connection refused")


def test_nothing_in_an_alarm_begins_a_header():
    evil = "x\r\nBcc: everybody@example.org\n\nand a body"
    mail = write_mail(
        a_notice(alarm=an_alarm(subject=evil)), "g@x.y", "o@x.y", "email o@x.y", NIGHT
    )
    again = message_from_string(mail.as_string(), policy=default)
    assert again["Bcc"] is None
    assert "everybody@example.org" in again["Subject"]
    assert re.search(r"[\r\n]", again["Subject"]) is None


def test_the_same_notice_has_the_same_message_id_and_one_alarm_is_one_thread():
    first, again, resolved = (
        write_mail(a_notice(event), "g@x.y", "o@x.y", "email o@x.y", NIGHT)
        for event in ("alarm", "alarm", "resolved")
    )
    assert first["Message-ID"] == again["Message-ID"] != resolved["Message-ID"]
    assert first["References"] == resolved["References"]


def test_names_of_receivers_hold_no_secret():
    token = "T0K3N-OF-MANY-LETTERS"
    settings = AlarmSettings(
        webhook=(f"https://ops.example.org/{token}", f"https://ops.example.org/{token}"),
        slack=("env:CHAT", f"https://chat.example.org/{token}?x={token}"),
        email=("ops@example.org",),
        smtp="smtps://mail.example.org",
        smtp_user="gleis",
        smtp_password_from="MAIL",
        sender="gleis@example.org",
    )
    environment = {"CHAT": f"https://chat.example.org/other/{token}", "MAIL": token}
    receivers = make_receivers(settings, environment)
    names = [receiver.name for receiver in receivers]
    assert names[1:] == ["slack env:CHAT", names[2], "email ops@example.org"]
    assert re.fullmatch(r"webhook ops\.example\.org [0-9a-f]{6}", names[0])
    assert token not in "".join(names)
    assert all(any(token in hidden for hidden in one.secrets) for one in receivers)


@pytest.mark.parametrize(
    ("settings", "environment", "says"),
    [
        (AlarmSettings(slack=("env:CHAT",)), {}, "CHAT, which is not set"),
        (AlarmSettings(slack=("env:CHAT",)), {"CHAT": " "}, "CHAT, which is not set"),
        (AlarmSettings(slack=("env:CHAT",)), {"CHAT": "http://h/T0K3N"}, "in CHAT.* https"),
        (AlarmSettings(slack=("env:CHAT",)), {"CHAT": "T0K3N"}, "in CHAT.* not an address"),
        (AlarmSettings(webhook_secret_from="KEY"), {}, "KEY, which is not set"),
        (AlarmSettings(webhook_secret_from="KEY"), {"KEY": "T0K3N"}, "too short"),
    ],
)
def test_a_secret_that_is_missing_or_unusable_is_told_at_the_start(settings, environment, says):
    with pytest.raises(ConfigError, match=says) as caught:
        make_receivers(settings, environment)
    assert "T0K3N" not in str(caught.value)
    assert caught.value.remedy
