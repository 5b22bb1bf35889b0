"""The service: rate, errors, latency, saturation."""

from __future__ import annotations

from typing import Any, Literal

from gleis.serving.observing.dashboard import Placed, Row, dashboard
from gleis.serving.observing.panels import Limit, Query, heatmap, lines, number
from gleis.serving.observing.rules import ERRORS, SLOW, recorded

_OF = '{model="$model"}'


def service() -> dict[str, Any]:
    """Return the dashboard."""
    return dashboard(
        "gleis-service",
        "gleis: service",
        "Requests, errors, latency, and how busy the service is.",
        [_now(), _rate(), _latency(), _budgets(), *_saturation()],
    )


def _quantile(q: str) -> str:
    rates = f"sum by (le) (rate(gleis_prediction_seconds_bucket{_OF}[$__rate_interval]))"
    return f"histogram_quantile({q}, {rates})"


def _now() -> Row:
    p99 = Query(_quantile("0.99"))
    return Row(
        5,
        (
            Placed(
                number(
                    "Requests",
                    Query(f"sum(rate(gleis_requests_total{_OF}[$__rate_interval]))"),
                    unit="reqps",
                ),
                5,
            ),
            Placed(
                number(
                    "Rows",
                    Query(f"sum(rate(gleis_predictions_total{_OF}[$__rate_interval]))"),
                    unit="rowsps",
                ),
                5,
            ),
            Placed(
                number(
                    "Errors",
                    Query(f"max({recorded('errors', '5m')}{_OF})"),
                    unit="percentunit",
                    text="Share of predictions that failed in 5 minutes.",
                    limits=(Limit(ERRORS, "red"),),
                ),
                5,
            ),
            Placed(
                number("p99", p99, unit="s", limits=(Limit(0.1, "red"),), text="Of predictions."), 5
            ),
            Placed(number("Workers", Query(f"sum(gleis_workers{_OF})")), 4),
        ),
    )


def _rate() -> Row:
    by_path = Query(
        f"sum by (path) (rate(gleis_requests_total{_OF}[$__rate_interval]))", "{{path}}"
    )
    by_status = Query(
        f"sum by (status) (rate(gleis_requests_total{_OF}[$__rate_interval]))", "{{status}}"
    )
    reasons = Query(
        f"sum by (reason) (rate(gleis_fallbacks_total{_OF}[$__rate_interval]))", "{{reason}}"
    )
    callers = Query(
        f"topk(10, sum by (caller) (rate(gleis_admitted_total{_OF}[$__rate_interval])))",
        "{{caller}}",
    )
    return Row(
        8,
        (
            Placed(lines("Requests by path", by_path, unit="reqps"), 6),
            Placed(lines("Requests by status", by_status, unit="reqps"), 6),
            Placed(
                lines(
                    "Answered by the heuristic",
                    reasons,
                    unit="rowsps",
                    text="Why the baseline answered in the model's place.",
                ),
                6,
            ),
            Placed(lines("Requests by caller", callers, unit="reqps", text="By the key's id."), 6),
        ),
    )


def _latency() -> Row:
    quantiles = [Query(_quantile(q), f"p{float(q) * 100:g}") for q in ("0.5", "0.9", "0.99")]
    counts = Query(
        f"sum by (le) (increase(gleis_prediction_seconds_bucket{_OF}[$__rate_interval]))",
        "{{le}}",
    )
    of_model = Query(
        f"sum by (version) (rate(gleis_model_seconds_total{_OF}[$__rate_interval])) / "
        f"(sum by (version) (rate(gleis_predictions_total{_OF}[$__rate_interval])) > 0)",
        "version {{version}}",
    )
    return Row(
        9,
        (
            Placed(
                lines(
                    "Seconds to an answer",
                    *quantiles,
                    unit="s",
                    text="From the request's body to its durable answer.",
                ),
                8,
            ),
            Placed(heatmap("Seconds to an answer, all", counts, unit="s"), 8),
            Placed(lines("The model's part, a row", of_model, unit="s"), 8),
        ),
    )


def _budgets() -> Row:
    def burn(what: Literal["errors", "slow"], budget: float) -> list[Query]:
        return [
            Query(f"max({recorded(what, window)}{_OF}) / {budget:g}", f"over {window}")
            for window in ("5m", "1h", "6h")
        ]

    return Row(
        8,
        (
            Placed(
                lines(
                    "Budget of errors: how fast it is spent",
                    *burn("errors", ERRORS),
                    text=f"1 spends {ERRORS:.1%} of the predictions; 14.4 over an hour pages.",
                ),
                12,
            ),
            Placed(
                lines(
                    "Budget of slow answers: how fast it is spent",
                    *burn("slow", SLOW),
                    text=f"1 spends {SLOW:.0%} of the predictions; 14.4 over an hour pages.",
                ),
                12,
            ),
        ),
    )


def _saturation() -> list[Row]:
    connections = lines(
        "Connections",
        Query(f"sum(gleis_connections{_OF})", "open"),
        Query(f"sum(gleis_connections_most{_OF})", "at most"),
        dashed=("at most",),
    )
    queue = lines(
        "Commits that wait for the log",
        Query(f"sum(gleis_log_queue{_OF})", "waiting"),
        text="Each writes the answers of all requests that arrived together.",
    )
    late = lines(
        "Share of time that event loops come late",
        Query(
            f"sum(rate(gleis_late_seconds_total{_OF}[$__rate_interval])) / "
            f"(sum(gleis_workers{_OF}) > 0)",
            "late",
        ),
        unit="percentunit",
    )
    cpu = lines(
        "Processor",
        Query(f"sum(rate(process_cpu_seconds_total{_OF}[$__rate_interval]))", "cores"),
    )
    memory = lines(
        "Memory",
        Query(f"sum(process_resident_memory_bytes{_OF})", "resident"),
        unit="bytes",
    )
    files = lines("Open files", Query(f"sum(process_open_fds{_OF})", "files"))
    return [
        Row(8, (Placed(connections, 8), Placed(queue, 8), Placed(late, 8))),
        Row(8, (Placed(cpu, 8), Placed(memory, 8), Placed(files, 8))),
    ]
