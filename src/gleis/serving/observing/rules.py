"""Alert rules: what deserves a page, what a ticket.

Those about the model do not test anything again. The loop tests, with a promised rate of false
alarms; a rule that looked at its evidence with a level of its own would break the promise. So they
fire while ``gleis_alarms_open`` says that an alarm waits for an answer.

References
----------
.. [1] Beyer et al. (2018). The Site Reliability Workbook, chapter 5, table 5-8: burn rates of an
   error budget over a long and a short window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from gleis.serving.observing.stack import Stack

Severity = Literal["page", "ticket"]
Rule = dict[str, Any]

ERRORS = 0.001
"""Share of predictions that may fail: 99.9% are answered."""
SLOW = 0.01
"""Share of predictions that may take longer than `SLOW_SECONDS`: 99% do not."""
SLOW_SECONDS = "0.1"
_ASKED = 'path=~"/predict|/invocations|/v2/.*/infer"'
_WINDOWS = ("5m", "30m", "1h", "6h")


class _Burn(NamedTuple):
    """How fast a budget of 30 days may be spent before somebody is told."""

    factor: float
    long: str
    short: str
    severity: Severity


_BURNS = (_Burn(14.4, "1h", "5m", "page"), _Burn(6.0, "6h", "30m", "ticket"))
_PROMISE = (
    "The loop's own sequential test raised it, at the rate of false alarms that the project "
    "promises; this rule tests nothing again. gleis alarms shows what changed, since when and what "
    "it means."
)


def rules(stack: Stack) -> dict[str, Any]:
    """Return the rules' file.

    Examples
    --------
    >>> [group["name"] for group in rules(Stack(model="flights"))["groups"]]
    ['gleis budgets', 'gleis service', 'gleis model', 'gleis loop']
    """
    groups = {
        "gleis budgets": [*_recorded()],
        "gleis service": [*_service(), *_burning()],
        "gleis model": [*_model()],
        "gleis loop": [*_loop()],
    }
    return {"groups": [{"name": name, "rules": found} for name, found in groups.items()]}


def alerts(stack: Stack) -> list[Rule]:
    """Return the rules that alert, without those that only record."""
    return [rule for group in rules(stack)["groups"] for rule in group["rules"] if "alert" in rule]


def recorded(what: Literal["errors", "slow"], window: str) -> str:
    """Return the name of a recorded share of predictions.

    Examples
    --------
    >>> recorded("errors", "5m")
    'model:gleis_errors:share_5m'
    """
    return f"model:gleis_{what}:share_{window}"


def _recorded() -> Iterator[Rule]:
    for window in _WINDOWS:
        asked = f"sum by (model) (rate(gleis_requests_total{{{_ASKED}}}[{window}]))"
        failed = f'sum by (model) (rate(gleis_requests_total{{{_ASKED},status=~"5.."}}[{window}]))'
        yield {
            "record": recorded("errors", window),
            "expr": f"({failed} or 0 * {asked}) / ({asked} > 0)",
        }
        answered = f"sum by (model) (rate(gleis_prediction_seconds_count[{window}]))"
        quick = (
            f'sum by (model) (rate(gleis_prediction_seconds_bucket{{le="{SLOW_SECONDS}"}}'
            f"[{window}]))"
        )
        yield {"record": recorded("slow", window), "expr": f"1 - {quick} / ({answered} > 0)"}


def _burning() -> Iterator[Rule]:
    budgets: Sequence[tuple[str, Literal["errors", "slow"], float, str]] = (
        ("GleisErrors", "errors", ERRORS, "{share} of predictions fail (503, 500)"),
        (
            "GleisSlow",
            "slow",
            SLOW,
            f"{{share}} of predictions take longer than {SLOW_SECONDS} s",
        ),
    )
    for name, what, budget, words in budgets:
        for burn in _BURNS:
            limit = f"{burn.factor * budget:g}"
            share = "{{ $value | humanizePercentage }}"
            yield _alert(
                name,
                f"{recorded(what, burn.long)} > {limit} and {recorded(what, burn.short)} > {limit}",
                "0m",
                burn.severity,
                f"{{{{ $labels.model }}}}: {words.format(share=share)}",
                f"Over {burn.long} and still over {burn.short}: at this pace the budget of 30 days "
                f"({budget:g}) lasts {30 * 24 / burn.factor:.0f} hours.",
            )


def _service() -> Iterator[Rule]:
    yield _alert(
        "GleisDown",
        'up{job="gleis"} == 0',
        "1m",
        "page",
        "{{ $labels.model }} does not answer on {{ $labels.instance }}",
        "Prometheus cannot scrape it. Is the process there, and the port? gleis doctor looks.",
    )
    yield _alert(
        "GleisNoModel",
        "gleis_workers unless on (model, instance) gleis_model_info",
        "1m",
        "page",
        "{{ $labels.model }} has no model to answer with on {{ $labels.instance }}",
        "/readyz says why. Promote a version that loads: gleis promote.",
    )
    fallback = 'sum by (model) (rate(gleis_predictions_total{fallback="true"}[15m]))'
    yield _alert(
        "GleisFallbacks",
        f"{fallback} / sum by (model) (rate(gleis_predictions_total[15m])) > 0.05",
        "15m",
        "ticket",
        "{{ $labels.model }}: the heuristic answers {{ $value | humanizePercentage }} of rows",
        "gleis_fallbacks_total says why: the model fails, takes too long, or rows are outliers.",
    )
    yield _alert(
        "GleisReloadErrors",
        "sum by (model) (increase(gleis_reload_errors_total[15m])) > 0",
        "0m",
        "ticket",
        "{{ $labels.model }} refused a new version; the old one keeps answering",
        "reload_error of /readyz says why. gleis verify looks at the package.",
    )
    yield _alert(
        "GleisCrowded",
        "gleis_connections / gleis_connections_most > 0.9",
        "5m",
        "ticket",
        "{{ $labels.model }} has {{ $value | humanizePercentage }} of its connections in use",
        "One more than serve.max_connections is sent away. Raise it, or add workers.",
    )
    yield _alert(
        "GleisBusy",
        "rate(gleis_late_seconds_total[5m]) / gleis_workers > 0.5",
        "10m",
        "ticket",
        "{{ $labels.model }}: its event loops come late, requests wait for the processor",
        "Add workers (serve.workers) or machines; gleis_model_seconds_total says what models take.",
    )


def _model() -> Iterator[Rule]:
    kinds: Sequence[tuple[str, str, Severity, str]] = (
        ("GleisDrift", "drift|joint", "ticket", "rows differ from those the model was trained on"),
        ("GleisPerformance", "performance", "page", "the loss rose, by labels"),
        ("GleisEstimate", "estimate", "ticket", "the loss is expected to have risen"),
        ("GleisLabels", "labels", "ticket", "labels stay away"),
        ("GleisFairness", "fairness", "ticket", "groups of people are treated differently"),
        ("GleisInput", "service", "ticket", "what comes in cannot be answered"),
        ("GleisSource", "source", "ticket", "a table beside the dataset is not filled any more"),
    )
    for name, kind, severity, words in kinds:
        match = f'kind=~"{kind}"' if "|" in kind else f'kind="{kind}"'
        yield _alert(
            name,
            f"max by (model, kind) (gleis_alarms_open{{{match}}}) > 0",
            "0m",
            severity,
            f"{{{{ $labels.model }}}}: {words}",
            _PROMISE,
        )


def _loop() -> Iterator[Rule]:
    alive = "time() - max by (model) (gleis_loop_alive_timestamp_seconds)"
    every = "max by (model) (gleis_loop_every_seconds)"
    yield _alert(
        "GleisLoopSilent",
        f"{alive} > clamp_min(10 * {every}, 300)",
        "0m",
        "page",
        "{{ $labels.model }}: the loop gave no sign for {{ $value | humanizeDuration }}",
        "Nothing is watched and nothing retrained. Is gleis up still running?",
    )
    looked = "time() - max by (model) (gleis_loop_last_look_timestamp_seconds)"
    yield _alert(
        "GleisLoopStuck",
        f"{looked} > clamp_min(20 * {every}, 900)"
        " unless on (model) (max by (model) (gleis_retraining_running) == 1)",
        "0m",
        "ticket",
        "{{ $labels.model }}: no look of the loop ended well for {{ $value | humanizeDuration }}",
        "Its log says why a look fails.",
    )
    yield _alert(
        "GleisTrainingLong",
        "max by (model) (min_over_time(gleis_retraining_running[30m])) == 1",
        "6h",
        "ticket",
        "{{ $labels.model }}: a training takes longer than six hours",
        "gleis status names it. A killed one goes on where it stopped.",
    )
    yield _alert(
        "GleisTrainingFailed",
        'max by (model) (increase(gleis_retrainings_total{outcome="failed"}[1h])) > 0',
        "0m",
        "ticket",
        "{{ $labels.model }}: a training failed",
        "gleis status says why; it is tried again after an hour.",
    )
    yield _alert(
        "GleisFiguresUnreadable",
        "sum by (model) (increase(gleis_loop_figures_unreadable_total[15m])) > 0",
        "0m",
        "ticket",
        "{{ $labels.model }}: what the loop found cannot be read",
        "The service's log names the file. Alerts about model and loop are blind meanwhile.",
    )


def _alert(
    name: str, expression: str, lasting: str, severity: Severity, summary: str, more: str
) -> Rule:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary + ".", "description": more},
    }
