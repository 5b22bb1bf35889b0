"""Writes anchor_exp.json: what anchor-exp 0.0.2.0 measures of rules, ours among them.

anchor-exp brings spaCy and builds with old compilers only, so it is no dependency of the tests.
In an environment with gleis and anchor-exp: ``python tests/evidence/explain/golden/anchor_exp.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from anchor_case import CONTRACT, ROWS, SHOPS, background, model, score  # noqa: E402

from gleis.evidence.explain.anchor import anchor  # noqa: E402
from gleis.evidence.explain.asked_row import read_row  # noqa: E402
from gleis.evidence.explain.rules import Rules  # noqa: E402

DRAWS = 200_000


def measured(explainer, row, rule):
    """Return precision and coverage of a rule, by anchor-exp's own perturbation."""
    held = [
        (place, bound, float(edge))
        for place, low, high in rule
        for bound, edge in (("geq", low), ("leq", high))
        if np.isfinite(edge)
    ]
    answer = int(score(row[None])[0] >= 0.5)
    rows = sampled(explainer, row, held, [place for place, low, high in rule if own(low, high)])
    covered = sampled(explainer, row, [], [])
    inside = np.ones(DRAWS, dtype=bool)
    for place, bound, edge in held:
        inside &= (covered[:, place] > edge) if bound == "geq" else (covered[:, place] <= edge)
    for place, low, high in rule:
        if own(low, high):
            inside &= covered[:, place] == row[place]
    return float(((score(rows) >= 0.5) == answer).mean()), float(inside.mean())


def own(low, high):
    return not np.isfinite(low) and not np.isfinite(high)


def sampled(explainer, row, held, equal):
    """Draw by ``sample_from_train``, with our bounds as its ranges: it compares with > and <=."""
    explainer.d_train = explainer.train
    geq = {place: edge for place, bound, edge in held if bound == "geq"}
    leq = {place: edge for place, bound, edge in held if bound == "leq"}
    return explainer.sample_from_train({place: row[place] for place in equal}, {}, geq, leq, DRAWS)


def main():
    from anchor.anchor_tabular import AnchorTabularExplainer  # not where the tests run

    np.random.seed(5)
    asked_model = model()
    rows = asked_model.encode(background())
    found = []
    for number, row in enumerate(ROWS):
        asked = read_row(asked_model, row)
        rules = Rules(asked)
        coarse = rules.coarse()
        tried = [[tuple(t)] for t in coarse[:3]] + [[tuple(coarse[0]), tuple(coarse[-1])]]
        ours = anchor(asked_model, row)
        tried.append([own_term(rules, condition) for condition in ours.rule])
        for rule in tried:
            explainer = AnchorTabularExplainer(
                ["no", "yes"], list(CONTRACT.names), rows.copy(), {3: list(SHOPS)}
            )
            precision, coverage = measured(explainer, asked.numbers, rule)
            found.append(
                {
                    "row": number,
                    "rule": [[place, _plain(low), _plain(high)] for place, low, high in rule],
                    "ours": rule is tried[-1],
                    "precision": precision,
                    "coverage": coverage,
                }
            )
    (HERE / "anchor_exp.json").write_text(json.dumps({"draws": DRAWS, "found": found}, indent=1))


def own_term(rules, condition):
    place = CONTRACT.names.index(condition.feature)
    low = -np.inf if condition.low is None else condition.low
    high = np.inf if condition.high is None else condition.high
    return place, low, high


def _plain(bound):
    return float(bound) if np.isfinite(bound) else None


if __name__ == "__main__":
    main()
