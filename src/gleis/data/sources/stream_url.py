"""``kafka://HOST:PORT/TOPIC?group=NAME``: a topic as a source of rows."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from gleis.contracts.errors import ConfigError

SCHEME = "kafka://"
_KEYS = ("group", "config", "from")


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic whose messages are rows."""

    brokers: str
    """``host:port``, with commas between."""
    topic: str
    group: str | None = None
    """Consumer group; processes of one group share the topic's partitions."""
    config: str | None = None
    """File of further librdkafka properties, relative to the project: security and the like."""
    from_end: bool = False
    """Whether messages are left out that were there before the dataset's first reading."""


def is_stream(source: str) -> bool:
    """Say whether a source is meant to be a topic, well written or not.

    Examples
    --------
    >>> is_stream("kafka://host/topic"), is_stream("kafka:/host/topic"), is_stream("kafka/")
    (True, True, False)
    """
    return source.startswith("kafka:/")


def parse_topic(url: str, field: str) -> Topic:
    """Read the URL of a topic.

    Parameters
    ----------
    url : str
        ``kafka://host:9092,other:9092/topic?group=g&config=kafka.properties&from=end``.
    field : str
        What says it, for errors.

    Raises
    ------
    ConfigError
        It is not of this form, or holds a password.

    Examples
    --------
    >>> parse_topic("kafka://localhost:9092/clicks?group=g", "from").topic
    'clicks'
    """
    found = urlsplit(url)
    asked = dict(parse_qsl(found.query, keep_blank_values=True))
    if "@" in found.netloc:
        raise ConfigError(
            f"{field} must hold no user and no password",
            remedy="Write security properties to a file, and name it: ?config=kafka.properties",
            field=field,
        )
    topic = unquote(found.path.strip("/"))
    unknown = [key for key in asked if key not in _KEYS]
    start = asked.get("from", "beginning")
    if not url.startswith(SCHEME) or not found.netloc or not topic or "/" in topic or unknown:
        raise ConfigError(
            f"{field} is not a topic",
            seen=url,
            remedy="Write kafka://HOST:PORT/TOPIC, and if need be ?group=NAME&config=FILE&from=end",
            field=field,
        )
    if start not in ("beginning", "end"):
        raise ConfigError(
            f"{field} begins nowhere",
            seen=start,
            remedy="Write from=beginning or from=end.",
            field=field,
        )
    return Topic(
        brokers=found.netloc,
        topic=topic,
        group=asked.get("group"),
        config=asked.get("config"),
        from_end=start == "end",
    )
