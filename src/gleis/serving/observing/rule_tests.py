"""Unit tests of the alert rules, for ``promtool test rules``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gleis.serving.observing.rules import alerts
from gleis.serving.observing.stack import Stack


class _Case(NamedTuple):
    """A world in which one alert rings, and one in which it does not."""

    alert: str
    series: Mapping[str, str]
    """Series -> values, one a minute."""
    at: str
    """When it rings."""
    rings: Sequence[Mapping[str, str]] = ()
    """Labels of the alerts that ring, beside ``alertname``; none if it keeps silent."""
    value: str = ""
    """What its summary says of the value."""


_M = 'model="flights"'
_TARGET = f'{_M},job="gleis",instance="a:8000"'


def rule_tests(stack: Stack) -> dict[str, Any]:
    """Return the tests' file: every alert rings where it should, and keeps silent elsewhere."""
    texts = {(rule["alert"], rule["labels"]["severity"]): rule for rule in alerts(stack)}
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [_test(case, texts) for case in _cases()],
    }


def _test(case: _Case, texts: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    expected = [
        {
            "exp_labels": dict(labels),
            "exp_annotations": _said(
                texts[case.alert, labels["severity"]]["annotations"], labels, case
            ),
        }
        for labels in case.rings
    ]
    return {
        "name": f"{case.alert} {'rings' if case.rings else 'keeps silent'}",
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}
        ],
    }


def _said(texts: Mapping[str, str], labels: Mapping[str, str], case: _Case) -> dict[str, str]:
    """Return an alert's texts as Prometheus fills them in."""
    summary = texts["summary"]
    for label, value in labels.items():
        summary = summary.replace(f"{{{{ $labels.{label} }}}}", value)
    for shown in ("humanizePercentage", "humanizeDuration"):
        summary = summary.replace(f"{{{{ $value | {shown} }}}}", case.value)
    return {"summary": summary, "description": texts["description"]}


def _cases() -> Iterator[_Case]:
    yield from _of_service()
    yield from _of_budgets()
    yield from _of_model()
    yield from _of_loop()


def _of_service() -> Iterator[_Case]:
    page, ticket = {"severity": "page", "model": "flights"}, _ticket()
    whole = {"job": "gleis", "instance": "a:8000"}
    yield _Case("GleisDown", {f"up{{{_TARGET}}}": "1 1 0x9"}, "8m", (page | whole,))
    yield _Case("GleisDown", {f"up{{{_TARGET}}}": "1x9"}, "8m")
    workers = {f"gleis_workers{{{_TARGET}}}": "2x9"}
    yield _Case("GleisNoModel", workers, "8m", (page | whole,))
    info = {f'gleis_model_info{{{_TARGET},version="3",digest="d"}}': "1x9"}
    yield _Case("GleisNoModel", workers | info, "8m")
    rows = "gleis_predictions_total{%s,fallback=" % _M  # noqa: UP031 - braces of its own
    answered = {rows + '"false"}': "0+90x60", rows + '"true"}': "0+10x60"}
    yield _Case("GleisFallbacks", answered, "45m", (ticket,), "10%")
    yield _Case("GleisFallbacks", answered | {rows + '"true"}': "0+3x60"}, "45m")
    refused = f"gleis_reload_errors_total{{{_TARGET}}}"
    yield _Case("GleisReloadErrors", {refused: "0x5 1x5"}, "8m", (ticket,))
    yield _Case("GleisReloadErrors", {refused: "1x10"}, "8m")
    most = {f"gleis_connections_most{{{_TARGET}}}": "1000x20"}
    open_ = f"gleis_connections{{{_TARGET}}}"
    yield _Case("GleisCrowded", most | {open_: "950x20"}, "15m", (ticket | whole,), "95%")
    yield _Case("GleisCrowded", most | {open_: "500x20"}, "15m")
    late = f"gleis_late_seconds_total{{{_TARGET}}}"
    two = {f"gleis_workers{{{_TARGET}}}": "2x30"}
    yield _Case("GleisBusy", two | {late: "0+90x30"}, "25m", (ticket | whole,))
    yield _Case("GleisBusy", two | {late: "0+30x30"}, "25m")


def _of_budgets() -> Iterator[_Case]:
    page, ticket = {"severity": "page", "model": "flights"}, _ticket()
    asked = f'gleis_requests_total{{{_M},path="/predict",status='
    fine = {asked + '"200"}': "0+980x400"}
    fast = fine | {asked + '"503"}': "0+20x400"}
    yield _Case("GleisErrors", fast, "5m", (page, ticket), "2%")
    slow = {asked + '"200"}': "0+990x400", asked + '"503"}': "0+10x400"}
    yield _Case("GleisErrors", slow, "380m", (ticket,), "1%")
    yield _Case("GleisErrors", fine, "380m")
    over = fine | {asked + '"503"}': "0+20x60 1200x340"}  # it was long, but it is over
    yield _Case("GleisErrors", over, "110m")
    bucket = f"gleis_prediction_seconds_bucket{{{_M},le="
    count = {f"gleis_prediction_seconds_count{{{_M}}}": "0+100x400"}
    yield _Case("GleisSlow", count | {bucket + '"0.1"}': "0+80x400"}, "5m", (page, ticket), "20%")
    yield _Case("GleisSlow", count | {bucket + '"0.1"}': "0+90x400"}, "380m", (ticket,), "10%")
    yield _Case("GleisSlow", count | {bucket + '"0.1"}': "0+99.5x400"}, "380m")


def _of_model() -> Iterator[_Case]:
    kinds = {
        "GleisDrift": "drift",
        "GleisPerformance": "performance",
        "GleisEstimate": "estimate",
        "GleisLabels": "labels",
        "GleisFairness": "fairness",
        "GleisInput": "service",
        "GleisSource": "source",
    }
    for alert, kind in kinds.items():
        severity = "page" if alert == "GleisPerformance" else "ticket"
        rings = {"severity": severity, "model": "flights", "kind": kind}
        waits = f'gleis_alarms_open{{{_TARGET},kind="{kind}"}}'
        yield _Case(alert, {waits: "0 0 1x8"}, "5m", (rings,))
        yield _Case(alert, {waits: "0 0 1x3 0x8"}, "9m")
    joint = {f'gleis_alarms_open{{{_TARGET},kind="joint"}}': "1x8"}
    yield _Case("GleisDrift", joint, "5m", (_ticket() | {"kind": "joint"},))
    # Evidence beyond its threshold is no alert by itself: it may be sure and harmless.
    sure = {
        f'gleis_drift_evidence{{{_TARGET},version="3",feature="visib"}}': "9x8",
        f'gleis_drift_threshold{{{_TARGET},version="3"}}': "1.3x8",
    }
    yield _Case("GleisDrift", sure, "5m")


def _of_loop() -> Iterator[_Case]:
    page, ticket = {"severity": "page", "model": "flights"}, _ticket()
    every = {f"gleis_loop_every_seconds{{{_TARGET}}}": "10x400"}
    alive = f"gleis_loop_alive_timestamp_seconds{{{_TARGET}}}"
    yield _Case("GleisLoopSilent", every | {alive: "0x400"}, "10m", (page,), "10m 0s")
    yield _Case("GleisLoopSilent", every | {alive: "0+60x400"}, "10m")
    looked = f"gleis_loop_last_look_timestamp_seconds{{{_TARGET}}}"
    training = f"gleis_retraining_running{{{_TARGET}}}"
    stuck = every | {looked: "0x900", training: "0x900"}
    yield _Case("GleisLoopStuck", stuck, "20m", (ticket,), "20m 0s")
    yield _Case("GleisLoopStuck", stuck | {training: "1x900"}, "20m")
    yield _Case("GleisTrainingLong", {training: "1x900"}, "7h", (ticket,))
    yield _Case("GleisTrainingLong", {training: "1x200 0 1x900"}, "7h")
    failed = f'gleis_retrainings_total{{{_TARGET},outcome="failed"}}'
    yield _Case("GleisTrainingFailed", {failed: "0x5 1x9"}, "9m", (ticket,))
    yield _Case("GleisTrainingFailed", {failed: "1x15"}, "9m")
    unreadable = f"gleis_loop_figures_unreadable_total{{{_TARGET}}}"
    yield _Case("GleisFiguresUnreadable", {unreadable: "0x5 1x9"}, "9m", (ticket,))
    yield _Case("GleisFiguresUnreadable", {unreadable: "0x15"}, "9m")


def _ticket() -> dict[str, str]:
    return {"severity": "ticket", "model": "flights"}
