"""Charts of a backtest: weekly figures by policy, alarms and promotions."""

from __future__ import annotations

import altair as alt
import polars as pl

from gleis.lifecycle.results import Backtest, PolicyResult

# Okabe and Ito's colours: told apart by colour-blind readers too.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]
_TITLES = {
    "log_loss": "log loss (lower is better)",
    "roc_auc": "ROC AUC (higher is better)",
    "brier": "Brier score (lower is better)",
    "accuracy": "accuracy (higher is better)",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "r2": "R² (higher is better)",
}
_WIDTH, _HEIGHT = 760, 240


def frontier_chart(result: Backtest) -> alt.LayerChart | alt.FacetChart:
    """Draw the first figure against the number of retrainings, a point a policy.

    Those on the frontier are joined and named; of the others those that are no point of a grid are
    named too, as they are what one knows.
    """
    metric, labels = result.metrics[0], _labels(result)
    points = pl.DataFrame(
        [
            {
                "policy": policy.policy,
                "value": policy.figures[metric],
                "retrainings": policy.retrainings,
                "frontier": "on the frontier" if policy.policy in result.frontier else "beaten",
                "cost": policy.fit_seconds,
                "label": labels.get(policy.policy, ""),
            }
            for policy in result.policies
            if metric in policy.figures
        ]
    )
    most = max(1, *(policy.retrainings for policy in result.policies))
    x = alt.X(
        "retrainings:Q",
        title="retrainings that triggers started",
        scale=alt.Scale(domain=[0, most * 1.35], nice=False),
        axis=alt.Axis(values=list(range(0, most + 1, -(-most // 12))), format="d", grid=False),
    )
    y = alt.Y("value:Q", title=_TITLES.get(metric, metric), scale=alt.Scale(zero=False, padding=18))
    colour = alt.Color(
        "frontier:N",
        title=None,
        scale=alt.Scale(domain=["on the frontier", "beaten"], range=["#0072B2", "#9aa3af"]),
        legend=alt.Legend(orient="top"),
    )
    base = alt.Chart(points)
    line = (
        base.transform_filter(alt.datum.frontier == "on the frontier")
        .mark_line(interpolate="step-after", color="#0072B2", opacity=0.45)
        .encode(x=x, y=y, order="retrainings:Q")
    )
    dots = base.mark_point(filled=True, size=85, opacity=0.9).encode(
        x=x,
        y=y,
        color=colour,
        tooltip=[
            "policy:N",
            alt.Tooltip("value:Q", format=".4f", title=metric),
            "retrainings:Q",
            alt.Tooltip("cost:Q", format=".0f", title="CPU s of fits"),
        ],
    )
    names = base.mark_text(align="left", baseline="bottom", dx=7, dy=-3, fontSize=11).encode(
        x=x, y=y, text="label:N", color=colour
    )
    return alt.layer(line, dots, names).properties(width=_WIDTH, height=320)


def weekly_chart(result: Backtest, metric: str) -> alt.LayerChart | alt.FacetChart:
    """Draw one figure week by week, a line a policy, with promotions marked."""
    shown = drawn_policies(result)
    names = [policy.policy for policy in shown]
    colour = _colour(names)
    weeks = pl.DataFrame(
        [
            {
                "policy": policy.policy,
                "week": week.start.replace(tzinfo=None),
                "value": week.figures.get(metric),
                "rows": week.rows,
            }
            for policy in shown
            for week in policy.weeks
        ]
    )
    axis = alt.Axis(title=None, format="%d %b")
    lines = (
        alt.Chart(weeks)
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.8)
        .encode(
            x=alt.X("week:T", axis=axis),
            y=alt.Y("value:Q", title=_TITLES.get(metric, metric), scale=alt.Scale(zero=False)),
            color=colour,
            tooltip=["policy:N", "week:T", alt.Tooltip("value:Q", format=".4f"), "rows:Q"],
        )
    )
    layers: list[alt.Chart] = [lines]
    promotions = _promotions(result)
    if promotions.height:
        layers.append(
            alt.Chart(promotions)
            .mark_rule(strokeDash=[3, 3], opacity=0.7)
            .encode(x="at:T", color=colour, tooltip=["policy:N", "at:T", "reason:N"])
        )
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)


def gain_chart(result: Backtest, metric: str) -> alt.LayerChart | alt.FacetChart:
    """Draw how far each policy is from the first one, week by week.

    What all policies share, such as a week's weather, drops out.
    """
    first, *others = drawn_policies(result)
    level = {week.start: week.figures[metric] for week in first.weeks if metric in week.figures}
    weeks = pl.DataFrame(
        [
            {
                "policy": policy.policy,
                "week": week.start.replace(tzinfo=None),
                "value": week.figures[metric] - level[week.start],
            }
            for policy in others
            for week in policy.weeks
            if week.start in level and metric in week.figures
        ]
    )
    names = [policy.policy for policy in (first, *others)]
    bars = (
        alt.Chart(weeks)
        .mark_line(interpolate="step-after", strokeWidth=1.8)
        .encode(
            x=alt.X("week:T", axis=alt.Axis(title=None, format="%d %b")),
            y=alt.Y("value:Q", title=f"{metric} minus that of “{first.policy}”"),
            color=_colour(names),
            tooltip=["policy:N", "week:T", alt.Tooltip("value:Q", format="+.4f")],
        )
    )
    zero = alt.Chart().mark_rule(color="#888").encode(y=alt.datum(0))
    return alt.layer(zero, bars, data=weeks).properties(width=_WIDTH, height=_HEIGHT)


def _labels(result: Backtest) -> dict[str, str]:
    """Name the points that one looks for; of policies that did the same the first."""
    labels, there = {}, set()
    for policy in result.policies:
        wanted = policy.policy in result.frontier or not policy.varied
        if wanted and policy.lived not in there:
            there.add(policy.lived)
            alike = sum(other.lived == policy.lived for other in result.policies) - 1
            labels[policy.policy] = f"{policy.policy} and {alike} alike" if alike else policy.policy
    return labels


def drawn_policies(result: Backtest) -> list[PolicyResult]:
    """Return the policies that are drawn line by line: all of a few.

    Of many those that are no point of a grid, then those on the frontier, as far as there are
    colours; of those that did the same the first.
    """
    if len(result.policies) <= len(COLOURS):
        return list(result.policies)
    known = [policy for policy in result.policies if not policy.varied]
    front = [result.find(name) for name in reversed(result.frontier)]
    found: list[PolicyResult] = []
    for policy in [*known, *front]:
        if all(policy.lived != other.lived for other in found):
            found.append(policy)
    return found[: len(COLOURS)]


def _colour(names: list[str]) -> alt.Color:
    return alt.Color(
        "policy:N",
        title=None,
        sort=names,
        scale=alt.Scale(domain=names, range=COLOURS[: len(names)]),
        legend=alt.Legend(orient="top"),
    )


def events_chart(result: Backtest) -> alt.LayerChart | alt.FacetChart:
    """Draw when each policy alarmed, retrained and promoted."""
    names = [policy.policy for policy in drawn_policies(result)]
    events = pl.concat([_alarms(result), _promotions(result)])
    shape = alt.Shape(
        "event:N",
        title=None,
        scale=alt.Scale(domain=["alarm", "promotion"], range=["triangle-up", "circle"]),
        legend=alt.Legend(orient="top"),
    )
    points = (
        alt.Chart(events)
        .mark_point(filled=True, size=90, opacity=0.85)
        .encode(
            x=alt.X(
                "at:T",
                title=None,
                axis=alt.Axis(format="%d %b"),
                scale=alt.Scale(
                    domain=[result.since.isoformat(), result.until.isoformat()],
                ),
            ),
            y=alt.Y("policy:N", title=None, sort=names, scale=alt.Scale(domain=names)),
            shape=shape,
            color=alt.Color(
                "event:N",
                title=None,
                scale=alt.Scale(domain=["alarm", "promotion"], range=["#D55E00", "#0072B2"]),
            ),
            tooltip=["policy:N", "event:N", "at:T", "reason:N"],
        )
    )
    return alt.layer(points).properties(width=_WIDTH, height=34 * max(2, len(names)))


_EVENT = {"policy": pl.String, "event": pl.String, "at": pl.Datetime, "reason": pl.String}


def _promotions(result: Backtest) -> pl.DataFrame:
    found = [
        {
            "policy": policy.policy,
            "event": "promotion",
            "at": deployment.at.replace(tzinfo=None),
            "reason": f"version {deployment.version.number}: {deployment.reason}",
        }
        for policy in drawn_policies(result)
        for deployment in policy.promotions
    ]
    return pl.DataFrame(found, schema=_EVENT)


def _alarms(result: Backtest) -> pl.DataFrame:
    found = [
        {
            "policy": policy.policy,
            "event": "alarm",
            "at": alarm.at.replace(tzinfo=None),
            "reason": alarm.message,
        }
        for policy in drawn_policies(result)
        for alarm in policy.alarms
    ]
    return pl.DataFrame(found, schema=_EVENT)
