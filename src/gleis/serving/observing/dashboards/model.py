"""What the model answers: scores, classes, outliers, and what comes in."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.dashboard import Choice, Placed, Row, dashboard
from gleis.serving.observing.panels import Limit, Query, gauge, heatmap, lines, number

_OF = '{model="$model",version=~"$version"}'
_FELL_BACK = '{model="$model",version=~"$version",fallback="true"}'


def model(*, probabilities: bool) -> dict[str, Any]:
    """Return the dashboard.

    Parameters
    ----------
    probabilities : bool
        Whether scores are probabilities of classes; else they are values.
    """
    choices = (
        Choice("version", 'label_values(gleis_score_count{model="$model"}, version)', several=True),
        Choice("feature", 'label_values(gleis_feature_count{model="$model"}, feature)'),
    )
    return dashboard(
        "gleis-model",
        "gleis: model",
        "What the model answers, and what it is asked.",
        [_now(probabilities=probabilities), *_scores(probabilities=probabilities), *_inputs()],
        choices,
    )


def _now(*, probabilities: bool) -> Row:
    ends = {"low": 0.0, "high": 1.0} if probabilities else {"low": None, "high": None}
    average = Query(
        f"sum(rate(gleis_score_sum{_OF}[$__range])) / "
        f"(sum(rate(gleis_score_count{_OF}[$__range])) > 0)"
    )
    fallbacks = (
        f"(sum(increase(gleis_predictions_total{_FELL_BACK}[$__range])) or vector(0)) / "
        f"(sum(increase(gleis_predictions_total{_OF}[$__range])) > 0)"
    )
    return Row(
        6,
        (
            Placed(gauge("Average score", average, text="Over the time shown.", **ends), 6),
            Placed(
                number(
                    "Answers now",
                    Query('gleis_model_info{model="$model"}', "version {{version}}"),
                    named=True,
                    text="The version that answers.",
                ),
                6,
            ),
            Placed(
                number(
                    "Rows answered",
                    Query(f"sum(increase(gleis_predictions_total{_OF}[$__range]))"),
                    text="In the time shown.",
                ),
                6,
            ),
            Placed(
                number(
                    "Answered by the heuristic",
                    Query(fallbacks),
                    unit="percentunit",
                    text="Share of rows that the baseline answered in the model's place.",
                    limits=(Limit(0.05, "red"),),
                ),
                6,
            ),
        ),
    )


def _scores(*, probabilities: bool) -> list[Row]:
    mean = Query(
        f"sum by (version) (rate(gleis_score_sum{_OF}[$__rate_interval])) / "
        f"(sum by (version) (rate(gleis_score_count{_OF}[$__rate_interval])) > 0)",
        "version {{version}}",
    )
    of_scores = heatmap(
        "Scores",
        Query(f"sum by (le) (increase(gleis_score_bucket{_OF}[$__rate_interval]))", "{{le}}"),
        text="Rows by score.",
    )
    by_label = Query(
        f"sum by (label) (increase(gleis_answers_total{_OF}[$__rate_interval]))", "{{label}}"
    )
    labels = heatmap("Labels", by_label, buckets=False, text="Rows by the class predicted.")
    outliers = heatmap(
        "Outlier scores",
        Query(
            f"sum by (le) (increase(gleis_outlier_score_bucket{_OF}[$__rate_interval]))",
            "{{le}}",
        ),
        text="Rows by how unusual they are as a whole.",
    )
    strange = lines(
        "Outlier score, mean",
        Query(
            f"sum(rate(gleis_outlier_score_sum{_OF}[$__rate_interval])) / "
            f"(sum(rate(gleis_outlier_score_count{_OF}[$__rate_interval])) > 0)",
            "mean",
        ),
        Query('max(gleis_outlier_threshold{model="$model"})', "flagged above"),
        dashed=("flagged above",),
    )
    return [
        Row(
            8,
            (
                Placed(lines("Average score by version", mean), 12),
                Placed(labels if probabilities else _shares(), 12),
            ),
        ),
        Row(9, (Placed(of_scores, 12), Placed(outliers, 12))),
        Row(8, (Placed(strange, 12), Placed(_flagged(), 12))),
    ]


def _flagged() -> dict[str, Any]:
    return lines(
        "Flags",
        Query(
            'topk(10, sum by (flag) (rate(gleis_flags_total{model="$model"}[$__rate_interval])))',
            "{{flag}}",
        ),
        unit="rowsps",
        text="Rows served though unusual; the ten most frequent reasons.",
    )


def _shares() -> dict[str, Any]:
    return lines(
        "Shares of the versions",
        Query('gleis_share{model="$model"}', "version {{version}} ({{role}})"),
        unit="percentunit",
        low=0.0,
        high=1.0,
        text="What part of the rows a version is given; a shadow sees all of them.",
    )


def _inputs() -> list[Row]:
    of = '{model="$model",feature="$feature"}'
    values = heatmap(
        "Values of $feature",
        Query(f"sum by (le) (increase(gleis_feature_bucket{of}[$__rate_interval]))", "{{le}}"),
        text="In the bins of the training rows.",
    )
    mean = lines(
        "Mean of $feature",
        Query(
            f"sum(rate(gleis_feature_sum{of}[$__rate_interval])) / "
            f"(sum(rate(gleis_feature_count{of}[$__rate_interval])) > 0)",
            "mean",
        ),
    )
    missing = lines(
        "Missing values",
        Query(
            "topk(10, sum by (feature) "
            '(rate(gleis_feature_missing_total{model="$model"}[$__rate_interval])))',
            "{{feature}}",
        ),
        unit="rowsps",
        text="Rows without a value; the ten features that lack most.",
    )
    return [Row(9, (Placed(values, 10), Placed(mean, 7), Placed(missing, 7)))]
