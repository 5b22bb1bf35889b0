"""A run whose evidence has every section, for reports and cards."""

from __future__ import annotations

from datetime import UTC, datetime

from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.evidence import CalibrationBin, Evidence, SliceFigures
from gleis.contracts.explanation import Condition, Fidelity, Importance, Surrogate
from gleis.contracts.fairness import AttributeFairness, Fairness, GroupFigures
from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leak, Leakage
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Perturbed, Robustness, WorstSlice
from gleis.contracts.run import Code, Environment, Run


def figure(value: float, low: float, high: float) -> Figure:
    """Return a figure."""
    return Figure(value=value, low=low, high=high)


def _group(*values: str, rows: int = 300) -> GroupFigures:
    rates = ("selection_rate", "accuracy", "true_positive_rate", "precision", "base_rate", "f1")
    rates = (*rates, "log_loss", "brier")
    return GroupFigures(
        values=values, rows=rows, figures={name: figure(0.5, 0.4, 0.6) for name in rates}
    )


GAP = {"statistical_parity_difference": figure(0.21, 0.12, 0.3), "disparate_impact": figure(
    0.77, 0.67, 0.87)}  # fmt: skip

EVERYTHING = Evidence(
    rows=900,
    figures={"roc_auc": figure(0.87, 0.84, 0.9), "log_loss": figure(0.24, 0.21, 0.27),
             "calibration_slope": figure(1.02, 0.9, 1.14)},
    baseline={"roc_auc": figure(0.8, 0.77, 0.83), "log_loss": figure(0.3, 0.27, 0.33)},
    gain={"roc_auc": figure(0.07, 0.05, 0.09), "log_loss": figure(0.06, 0.04, 0.08)},
    slices=(
        SliceFigures(column="unit", value="<1>", rows=800, figures={
            name: figure(0.6, 0.5, 0.7) for name in ("roc_auc", "log_loss", "brier")}),
        SliceFigures(column="unit", value="4", rows=11, figures={}),
    ),
    calibration=(
        CalibrationBin(low=0.0, high=0.5, rows=450, predicted=0.3, observed=0.35),
        CalibrationBin(low=0.5, high=1.0, rows=450, predicted=0.8, observed=0.82),
    ),
    notes=("17 rows have no label.",),
    fairness=Fairness(
        min_group=30,
        figures={"theil_index": figure(0.1, 0.09, 0.11)},
        mitigation="reweighing",
        notes=("Attributes are told apart as they came.",),
        attributes=(
            AttributeFairness(
                attributes=("race",),
                groups=(_group("white"), _group("bl<ack", rows=99), GroupFigures(
                    values=("hispanic",), rows=12, figures={})),
                figures=GAP,
                unknown=("hispanic (12 rows)",),
            ),
            AttributeFairness(
                attributes=("sex", "race"),
                groups=(_group("m", "white"), _group("f", "white")),
                figures=GAP,
            ),
            AttributeFairness(attributes=("sex",), groups=(_group("m"),), figures={}),
        ),
    ),
    robustness=Robustness(
        rows=900,
        perturbations=(
            Perturbed(name="noise_10pct", description="Noise on every number.", figures={
                "log_loss": figure(0.25, 0.22, 0.28), "log_loss_drop": figure(0.01, 0.0, 0.02)}),
            Perturbed(name="unseen_category", description="Unseen words. Refused.", figures={}),
        ),
        notes=("900 of 900 rows.",),
    ),
    worst_slice=WorstSlice(
        conditions=("hrat > 40", "unit = 2"),
        rows=64,
        figures={"log_loss": figure(0.5, 0.4, 0.6), "log_loss_ratio": figure(2.1, 1.7, 2.5)},
        searched=812,
        p_value=0.004,
        notes=("450 rows chose it, 450 measured it.",),
    ),
    leakage=Leakage(
        checked=("Rows of one group on both sides: no candidate column.",),
        unchecked=("Time: there is no time column.",),
        leaks=(
            Leak(kind="late", column="typur", certain=True, reason="typur is known only later.",
                 figures={"random.roc_auc": figure(0.95, 0.93, 0.97)}),
            Leak(kind="predictor", column="gdlin", certain=False, reason="gdlin predicts alone."),
        ),
    ),
    simpler=(
        Rival(name="linear", description="Logistic regression.", notes=("On all rows.",),
              figures={"log_loss": figure(0.25, 0.22, 0.28)},
              gain={"log_loss": figure(0.01, -0.005, 0.025)}),
    ),
    champion=Rival(name="v7", description="version 7, which is champion", notes=("It saw some.",),
                   figures={"log_loss": figure(0.26, 0.23, 0.29)},
                   gain={"log_loss": figure(0.02, 0.01, 0.03)}),
    importance=(
        Importance(method="permutation", unit="rise of log_loss", rows=900,
                   features={"gdlin": figure(0.1, 0.08, 0.12), "hrat": figure(0.01, 0.0, 0.02)}),
    ),
    surrogate=Surrogate(
        of="1",
        rows=900,
        rules=(((Condition(feature="gdlin", text="gdlin <= 0.5"),), 0.25, 90),
               ((Condition(feature="gdlin", text="gdlin > 0.5"),), 0.94, 810)),
        fidelity=(Fidelity(measure="R2", value=0.91, asked=">= 0.7"),),
    ),
)  # fmt: skip
"""Made up; nothing of it was measured."""


def run_of(evidence: Evidence, **changed: object) -> Run:
    """Return a run with this evidence."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    made = {
        "id": "r20260301-7f3a",
        "project": "mortgage",
        "kind": "model",
        "dataset": DatasetVersion(
            name="mortgage", version=3, location="data", table_version=2, content="c0ffee",
            rows=1989, labelled=1989, first=None, last=None, columns={}, parent=2,
            provenance=Provenance(source="mortgage:load", since=None, until=None,
                                  loaded_at=moment, loaded_by="ann@lab", code="abc"),
        ),
        "code": Code(reached="5eed", commit="deadbeef", diff="d1ff"),
        "environment": Environment(python="3.11.9", platform="Linux", lock="10cc", cpus=2),
        "params": {"learning_rate": 0.1},
        "seed": 0,
        "seeds": {"split": 1},
        "started": moment,
        "durations": {},
        "train_rows": 1089,
        "test_rows": 900,
        "cause": "on demand",
        "model": "m0de1",
        "evidence": evidence,
    }  # fmt: skip
    return Run(**{**made, **changed})  # type: ignore[arg-type]
