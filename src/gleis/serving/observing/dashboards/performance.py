"""How good the answers are: by labels, and before labels come."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.dashboard import Choice, Placed, Row, dashboard
from gleis.serving.observing.panels import Limit, Query, gauge, lines, number, table

_OF = '{model="$model"}'
_ALARMS = '{model="$model",kind=~"performance|estimate"}'
_ONE = '{model="$model",figure="$figure"}'


def performance() -> dict[str, Any]:
    """Return the dashboard."""
    figures = Choice("figure", 'label_values(gleis_performance{model="$model"}, figure)')
    return dashboard(
        "gleis-performance",
        "gleis: performance",
        "Figures of the answers whose truth is known, beside what the tests promised.",
        [_now(), *_figures(), *_evidence(), *_labels(), _people()],
        (figures,),
    )


def _now() -> Row:
    coverage = Query(f"max(gleis_label_coverage{_OF})")
    return Row(
        5,
        (
            Placed(
                number(
                    "Open performance alarms",
                    Query(f"sum(max by (kind) (gleis_alarms_open{_ALARMS}))"),
                    limits=(Limit(1, "red"),),
                    text="By labels, or by estimate.",
                ),
                6,
            ),
            Placed(number("$figure now", Query(f"max(gleis_performance{_ONE})")), 6),
            Placed(number("$figure promised", Query(f"max(gleis_performance_promised{_ONE})")), 6),
            Placed(
                gauge(
                    "Answers with a label",
                    coverage,
                    unit="percentunit",
                    text="Share of the answers whose truth is known.",
                ),
                6,
            ),
        ),
    )


def _figures() -> list[Row]:
    over_time = lines(
        "$figure",
        Query(f"max(gleis_performance{_ONE})", "live"),
        Query(f"max(gleis_estimated_performance{_ONE})", "estimated, before labels"),
        Query(f"max(gleis_performance_promised{_ONE})", "promised"),
        dashed=("promised",),
        text="On the latest labelled rows, beside the test rows' figure.",
    )
    side_by_side = table(
        "All figures",
        Query(f"max by (figure) (gleis_performance{_OF})", "live"),
        Query(f"max by (figure) (gleis_performance_promised{_OF})", "promised"),
        Query(f"max by (figure) (gleis_estimated_performance{_OF})", "estimated"),
        key="figure",
    )
    return [Row(10, (Placed(over_time, 16), Placed(side_by_side, 8)))]


def _evidence() -> list[Row]:
    evidence = lines(
        "Evidence that the loss rose",
        Query(f"max(gleis_performance_evidence{_OF})", "evidence"),
        Query(f"max(gleis_performance_threshold{_OF})", "alarms at"),
        dashed=("alarms at",),
        text="log10 of an e-value, tested on labelled rows as they come.",
    )
    rise = lines(
        "Rise of the mean loss",
        Query(f"max(gleis_performance_rise{_OF})", "since its likeliest change"),
        text="It alarms where it is sure and at least triggers.performance.min_effect.",
    )
    return [Row(8, (Placed(evidence, 12), Placed(rise, 12)))]


def _labels() -> list[Row]:
    received = lines(
        "Labels received",
        Query(f"sum by (outcome) (rate(gleis_labels_total{_OF}[$__rate_interval]))", "{{outcome}}"),
        unit="rowsps",
        text="Accepted; of these unknown (no prediction yet) and changed.",
    )
    coverage = lines(
        "Answers with a label, by version",
        Query(f"max by (version) (gleis_label_coverage{_OF})", "version {{version}}"),
        unit="percentunit",
        low=0.0,
        high=1.0,
    )
    waiting = lines(
        "Labels that wait",
        Query(f"max(gleis_log_pending_labels{_OF})", "for their prediction"),
        text="They name a prediction that the log does not hold yet.",
    )
    return [Row(8, (Placed(received, 8), Placed(coverage, 8), Placed(waiting, 8)))]


def _people() -> Row:
    fairness = lines(
        "Fairness",
        Query(
            f"topk(15, max by (attribute, figure) (gleis_fairness{_OF}))",
            "{{attribute}} {{figure}}",
        ),
        text="Figures between groups of people, named as gates name them.",
    )
    delay = lines(
        "Labels come after",
        Query(f"max by (percentile) (gleis_label_delay_seconds{_OF})", "{{percentile}} % of them"),
        unit="s",
        text="From an event to its label.",
    )
    reviews = lines(
        "Answers that wait for a person",
        Query(f"max(gleis_reviews_waiting{_OF}) or vector(0)", "to review"),
        text="gleis review lists them; none where serve.outliers asks for no reviews.",
    )
    ratings = lines(
        "Feedback",
        Query(f"sum by (rating) (gleis_feedback_total{_OF})", "{{rating}}"),
        text="What people think of answers, 1 to 5, in all.",
    )
    return Row(8, tuple(Placed(one, 6) for one in (fairness, delay, reviews, ratings)))
