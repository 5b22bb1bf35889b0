"""Writes aif360_golden.json beside itself: what AIF360 0.6.1 makes of small data.

AIF360 pins nothing and imports much, so it is no dependency of the tests. To write the file anew:
an environment with aif360==0.6.1, blackboxauditing==0.1.54 and networkx; then run this file.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

PRIVILEGED, OTHERS = [{"sex": 1.0}], [{"sex": 0.0}]


def rows(n=400):
    rng = np.random.default_rng(7)
    sex = (rng.random(n) < 0.6).astype(float)
    label = (rng.random(n) < 0.35 + 0.3 * sex).astype(float)
    # Continuous, well apart from each other: no threshold falls on a score.
    score = np.round(1 / (1 + np.exp(-(1.4 * label - 0.9 + 0.5 * sex + rng.normal(0, 1, n)))), 6)
    return pd.DataFrame({"x": rng.normal(0, 1, n).round(6), "sex": sex, "y": label}), score


def dataset(frame, scores=None):
    from aif360.datasets import BinaryLabelDataset

    made = BinaryLabelDataset(df=frame, label_names=["y"], protected_attribute_names=["sex"])
    if scores is not None:
        made.scores = scores.reshape(-1, 1)
        made.labels = (made.scores > 0.5).astype(float)
    return made


def main():
    from aif360.algorithms.postprocessing import (
        CalibratedEqOddsPostprocessing,
        RejectOptionClassification,
    )
    from aif360.algorithms.preprocessing import DisparateImpactRemover, Reweighing

    frame, scores = rows()
    truth, predicted = dataset(frame), dataset(frame, scores)
    golden = {
        "sex": frame["sex"].astype(int).tolist(),
        "label": frame["y"].astype(int).tolist(),
        "score": scores.tolist(),
        "weights": Reweighing(OTHERS, PRIVILEGED).fit_transform(truth).instance_weights.tolist(),
    }
    for cost in ("fnr", "fpr", "weighted"):
        fitted = CalibratedEqOddsPostprocessing(OTHERS, PRIVILEGED, cost, seed=0).fit(
            truth, predicted
        )
        golden[f"mix_{cost}"] = [float(fitted.unpriv_mix_rate), float(fitted.priv_mix_rate)]
    for name in ("Statistical parity difference", "Equal opportunity difference"):
        option = RejectOptionClassification(
            OTHERS, PRIVILEGED, num_class_thresh=20, num_ROC_margin=20, metric_name=name
        ).fit(truth, predicted)
        answered = option.predict(predicted).labels.ravel().astype(int).tolist()
        golden[name] = [
            float(option.classification_threshold),
            float(option.ROC_margin),
            answered,
        ]
    # Three groups: of two, AIF360 takes the lower value for the median, gleis the mean.
    rng = np.random.default_rng(3)
    parts = rng.normal(0, 1, 30), rng.gamma(2, 3, 30), rng.uniform(-2, 2, 30)
    even = pd.DataFrame({"x": np.concatenate(parts).round(4)})
    even["sex"], even["y"] = np.repeat([0.0, 1.0, 2.0], 30), 1.0
    remover = DisparateImpactRemover(repair_level=1.0, sensitive_attribute="sex")
    golden["repaired"] = remover.fit_transform(dataset(even)).features[:, 0].tolist()
    golden["even"] = even["x"].tolist()
    Path(__file__).with_name("aif360_golden.json").write_text(json.dumps(golden))


if __name__ == "__main__":
    main()
