"""Whether the loop lives, what it decided, and what it keeps."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.dashboard import Placed, Row, dashboard
from gleis.serving.observing.panels import Limit, Query, lines, number

_OF = '{model="$model"}'


def loop() -> dict[str, Any]:
    """Return the dashboard."""
    return dashboard(
        "gleis-loop",
        "gleis: loop",
        "Looks, alarms, trainings, versions, and the prediction log.",
        [_now(), *_looks(), *_trainings(), *_log()],
    )


def _age(name: str) -> Query:
    return Query(f"time() - max({name}{_OF})")


def _now() -> Row:
    return Row(
        5,
        (
            Placed(
                number(
                    "Sign of life",
                    _age("gleis_loop_alive_timestamp_seconds"),
                    unit="s",
                    text="Seconds since the loop's last one.",
                    limits=(Limit(300, "red"),),
                ),
                5,
            ),
            Placed(
                number(
                    "Last look",
                    _age("gleis_loop_last_look_timestamp_seconds"),
                    unit="s",
                    text="Seconds since a look ended well.",
                    limits=(Limit(900, "orange"),),
                ),
                5,
            ),
            Placed(
                number(
                    "Last training",
                    _age("gleis_last_training_timestamp_seconds"),
                    unit="s",
                    text="Seconds since it was decided on.",
                ),
                5,
            ),
            Placed(
                number("Versions", Query(f"max(gleis_versions{_OF})"), text="In the registry."),
                4,
            ),
            Placed(
                number(
                    "Open alarms",
                    Query(f"sum(max by (kind) (gleis_alarms_open{_OF}))"),
                    text="That nobody and no training has answered.",
                    limits=(Limit(1, "red"),),
                ),
                5,
            ),
        ),
    )


def _looks() -> list[Row]:
    took = lines(
        "A look takes",
        Query(f"max(gleis_loop_look_seconds{_OF})", "look"),
        Query(f"max(gleis_loop_every_seconds{_OF})", "every"),
        unit="s",
        dashed=("every",),
        text="With the training it led to, if it did.",
    )
    failed = lines(
        "Looks that failed",
        Query(f"sum(increase(gleis_loop_failed_looks_total{_OF}[$__rate_interval]))", "failed"),
    )
    busy = lines(
        "The loop's processor time",
        Query(f"sum(rate(gleis_loop_cpu_seconds_total{_OF}[$__rate_interval]))", "cores"),
    )
    return [Row(8, (Placed(took, 8), Placed(failed, 8), Placed(busy, 8)))]


def _trainings() -> list[Row]:
    outcomes = lines(
        "Trainings",
        Query(f"max by (outcome) (gleis_retrainings_total{_OF})", "{{outcome}}"),
        Query(f"max(gleis_retraining_running{_OF})", "running"),
        text="In all: promoted, kept (not promoted, or on trial), failed.",
    )
    alarms = lines(
        "Alarms",
        Query(f"max by (kind) (gleis_alarms_total{_OF})", "{{kind}}"),
        text="In all, by kind.",
    )
    waiting = lines(
        "Alarms that wait",
        Query(f"max by (kind) (gleis_alarms_open{_OF})", "{{kind}}"),
        Query(f"max(gleis_release_running{_OF})", "release running"),
    )
    return [Row(8, (Placed(outcomes, 8), Placed(alarms, 8), Placed(waiting, 8)))]


def _log() -> list[Row]:
    rows = lines(
        "Prediction log",
        Query(f"max(gleis_log_predictions_total{_OF})", "rows"),
        Query(f"max(gleis_log_matched_total{_OF})", "rows with a label"),
        Query(f"max(gleis_log_labels_total{_OF})", "labels"),
    )
    size = lines("Size of the log", Query(f"max(gleis_log_bytes{_OF})", "on disk"), unit="bytes")
    return [Row(8, (Placed(rows, 12), Placed(size, 12)))]
