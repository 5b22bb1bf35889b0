"""What types alone cannot say about settings."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gleis.config.alarms import check_alarms
from gleis.config.checks import check_checks
from gleis.config.database import check_database
from gleis.config.datasets import check_datasets
from gleis.config.durations import (
    parse_duration,
    parse_limit,
    parse_share,
)
from gleis.config.fairness import check_fairness
from gleis.config.leakage import check_leakage
from gleis.config.mitigating import check_mitigation
from gleis.config.monitoring import check_monitoring
from gleis.config.online import check_online
from gleis.config.settings import Settings
from gleis.config.triggers import check_triggers
from gleis.contracts.errors import ConfigError

_SHORTEST = timedelta(seconds=0.1)


def validate(settings: Settings) -> None:
    """Check durations, rates, names and combinations.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    _names(settings)
    check_datasets(settings)
    check_database(settings)
    check_checks(settings)
    _split(settings)
    _features(settings)
    check_fairness(settings)
    check_leakage(settings)
    check_online(settings.features.online)
    _numbers(settings)
    _errors(settings)
    check_triggers(settings.triggers)
    _serve(settings)
    _release(settings)
    _access(settings)
    check_mitigation(settings)
    check_monitoring(settings)
    check_alarms(settings)
    parse_duration(settings.project.label_delay, "project.label_delay")
    _every(settings.loop.every)
    _timeout(settings.serve.timeout, "serve.timeout")
    _timeout(settings.serve.explanation_timeout, "serve.explanation_timeout")
    parse_share(settings.evidence.outliers, "evidence.outliers")


def _timeout(text: str, key: str) -> None:
    if not parse_duration(text, key):
        raise ConfigError(
            f"{key} leaves a model no time",
            seen=text,
            remedy="Write 0.1s or more; see docs/configuration.md for what is usual.",
            field=key,
        )


def _every(text: str) -> None:
    if parse_duration(text, "loop.every") < _SHORTEST:
        raise ConfigError(
            "loop.every is too short",
            seen=text,
            remedy="Write 0.1s or more; 10s is usual.",
            field="loop.every",
        )


def _names(settings: Settings) -> None:
    project = settings.project
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", project.name):
        raise ConfigError(
            "project.name may hold letters, digits, - and _",
            seen=project.name,
            remedy="Begin with a letter or digit, and leave other characters out.",
            field="project.name",
        )
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", project.module):
        raise ConfigError(
            "project.module is not a module name",
            seen=project.module,
            remedy="Write the file's name without .py.",
            field="project.module",
        )
    seen: set[str] = set()
    for column in filter(None, [project.target, project.id, project.time, project.weight]):
        if column in seen:
            raise ConfigError(
                "project.target, project.id, project.time and project.weight must be different "
                "columns",
                seen=column,
                remedy="Name another column, or leave one of them out.",
                field="project.target",
            )
        seen.add(column)


def _split(settings: Settings) -> None:
    split, project = settings.split, settings.project
    if split.by == "time" and project.time is None:
        raise ConfigError(
            'split.by = "time" needs project.time',
            remedy="Name the column of the event time under [project].",
            field="project.time",
        )
    if split.since is not None:
        _since(split.since, project.time)
    if split.by == "group" and split.group is None:
        raise ConfigError(
            'split.by = "group" needs split.group',
            remedy="Name the column of the groups under [split].",
            field="split.group",
        )
    if isinstance(split.test, str):
        if split.by != "time":
            raise ConfigError(
                f'split.test is a duration, but split.by is "{split.by}"',
                seen=split.test,
                remedy="Write a share between 0 and 1.",
                field="split.test",
            )
        parse_duration(split.test, "split.test")
    elif not 0 < split.test < 1:
        raise ConfigError(
            "split.test is not between 0 and 1",
            seen=split.test,
            remedy="Write the share of rows to test on, such as 0.2.",
            field="split.test",
        )


def _since(moment: str, time: str | None) -> None:
    if time is None:
        raise ConfigError(
            "split.since needs project.time",
            remedy="Name the column of the event time under [project].",
            field="project.time",
        )
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise ConfigError(
            "split.since is no moment",
            seen=moment,
            remedy="Write it as 2013-04-01 or 2013-04-01T06:00.",
            field="split.since",
        ) from None


def _features(settings: Settings) -> None:
    project = settings.project
    reserved = {
        "target": project.target,
        "id": project.id,
        "time": project.time,
        "group": settings.split.group,
        "weight": project.weight,
    }
    for role, column in reserved.items():
        if column is not None and column in settings.features.include:
            raise ConfigError(
                f"features.include holds the {role} column",
                seen=column,
                remedy="A model that sees it learns the answer or the calendar, not the task: "
                "remove it.",
                field="features.include",
            )


def _numbers(settings: Settings) -> None:
    checks = (
        ("evidence.bootstrap", settings.evidence.bootstrap, 20, 100_000),
        ("evidence.min_slice", settings.evidence.min_slice, 10, 10**9),
        ("serve.port", settings.serve.port, 0, 65_535),
        ("serve.workers", settings.serve.workers, 1, 256),
        ("serve.max_rows", settings.serve.max_rows, 1, 10**7),
        ("serve.max_connections", settings.serve.max_connections, 1, 10**6),
        ("serve.explanations", settings.serve.explanations, 1, 1_000),
        ("serve.max_body_mb", settings.serve.max_body_mb, 0.001, 10_000),
        ("seed", settings.seed, 0, 2**32 - 1),
    )
    for key, value, low, high in checks:
        if not low <= value <= high:
            raise ConfigError(
                f"{key} is not between {low} and {high}",
                seen=value,
                remedy="Take a value in between, or leave it out for the default.",
                field=key,
            )


def _errors(settings: Settings) -> None:
    for name, value in settings.evidence.measurement_error.items():
        if not 0 < value < math.inf:
            raise ConfigError(
                f"evidence.measurement_error.{name} is not a positive number",
                seen=value,
                remedy="Write how far the number may be from the truth, in its unit, or leave it "
                "out.",
                field=f"evidence.measurement_error.{name}",
            )


def _serve(settings: Settings) -> None:
    serve = settings.serve
    if parse_duration(serve.request_timeout, "serve.request_timeout") < _SHORTEST:
        raise ConfigError(
            "serve.request_timeout is too short",
            seen=serve.request_timeout,
            remedy="Write 0.1s or more; 30s is usual.",
            field="serve.request_timeout",
        )
    for key, other in (("cert", "key"), ("key", "cert"), ("clients", "cert")):
        if getattr(serve, f"tls_{key}") is not None and getattr(serve, f"tls_{other}") is None:
            raise ConfigError(
                f"serve.tls_{key} needs serve.tls_{other}",
                seen=getattr(serve, f"tls_{key}"),
                remedy="Name both files, certificate and key, or neither.",
                field=f"serve.tls_{other}",
            )


def _access(settings: Settings) -> None:
    access = settings.access
    if access.rate is not None:
        parse_limit(access.rate, "access.rate")
    if access.issuer is None:
        for key in ("audience", "jwks"):
            if getattr(access, key) is not None:
                raise ConfigError(
                    f"access.{key} means nothing without access.issuer",
                    seen=getattr(access, key),
                    remedy="Name the issuer of the tokens, or leave it out.",
                    field="access.issuer",
                )
        return
    if not access.audience:
        raise ConfigError(
            "access.issuer needs access.audience",
            remedy="Name what the issuer writes into aud for this service: without it, tokens "
            "made for other services would open this one.",
            field="access.audience",
        )
    for key in ("issuer", "jwks"):
        _secure(f"access.{key}", getattr(access, key), url=key == "issuer")


def _secure(key: str, address: str | None, *, url: bool) -> None:
    """Refuse to fetch keys where somebody on the way could exchange them."""
    if address is None or (not url and "://" not in address):
        return
    parts = urlsplit(address)
    near = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "https" or (parts.scheme == "http" and near):
        return
    raise ConfigError(
        f"{key} is not an https address",
        seen=address,
        remedy="Write https://...; http is taken on this machine only.",
        field=key,
    )


def _release(settings: Settings) -> None:
    release = settings.release
    parse_duration(release.slow, "release.slow")
    parse_duration(release.horizon, "release.horizon")
    shares = (
        ("share", 0.5 if release.share is None else release.share, 0.001, 0.999),
        ("false_rollbacks", release.false_rollbacks, 1e-6, 0.5),
        ("false_promotions", release.false_promotions, 1e-6, 0.5),
        ("tolerance", release.tolerance, 0.0, 0.9),
        ("margin", release.margin, 0.0, 1e12),
        ("score_shift", release.score_shift, 0.0, 100.0),
        ("min_rows", release.min_rows, 20, 10**9),
        ("floor", release.floor, 0.001, 0.5),
    )
    for key, value, low, high in shares:
        if not low <= value <= high:
            raise ConfigError(
                f"release.{key} is not between {low:g} and {high:g}",
                seen=value,
                remedy="Take a value in between, or leave it out for the default.",
                field=f"release.{key}",
            )
    _release_metric(settings)


def _release_metric(settings: Settings) -> None:
    release, task = settings.release, settings.project.task
    known = {
        "binary": ("loss", "brier", "accuracy", "outcome"),
        "multiclass": ("loss", "brier", "accuracy"),
        "regression": ("loss", "squared_error", "absolute_error", "outcome"),
    }[task]
    if release.metric not in known:
        raise ConfigError(
            f"release.metric is not known row by row for a {task} task",
            seen=release.metric,
            remedy=f"Take one of {', '.join(known)}.",
            field="release.metric",
        )
    usual = {"outcome": None, "accuracy": "higher"}.get(release.metric, "lower")
    if usual is None and release.direction is None:
        raise ConfigError(
            'release.metric = "outcome" needs release.direction',
            remedy='Say whether more of the label is good: direction = "higher" or "lower".',
            field="release.direction",
        )
    if usual is not None and release.direction not in (None, usual):
        raise ConfigError(
            f"release.direction contradicts the metric: {usual} {release.metric} is better",
            seen=release.direction,
            remedy="Leave release.direction out.",
            field="release.direction",
        )
    if release.metric == "outcome" and release.strategy == "shadow":
        raise ConfigError(
            "a shadow answers nobody and has no outcome of its own",
            remedy="Compare a shadow by its loss, or take another strategy.",
            field="release.metric",
        )
