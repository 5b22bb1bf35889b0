from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.config.settings import EvidenceSettings
from gleis.contracts.contract import Column, Contract
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.evidence import SliceFigures
from gleis.contracts.figure import Figure
from gleis.contracts.run import Code, Environment, Run
from gleis.evidence.examine import examine
from gleis.governance.card import write_card
from gleis.governance.gates import judge, judge_baseline

CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="distance", kind="number", low=17, high=4983, unit="miles"),
        Column(name="carrier", kind="category", nullable=True, categories=("AA", "UA", "a|b<i>")),
        Column(name="dest", kind="category", categories=tuple(f"D{i:02}" for i in range(40))),
    ),
    target="late",
    classes=("no", "yes"),
)


def moment(day):
    return datetime(2013, 3, day, tzinfo=UTC)


@pytest.fixture(scope="module")
def evidence():
    rng = np.random.default_rng(0)
    p = rng.random(900)
    y = (rng.random(900) < p).astype(int)
    rows = pl.DataFrame({"carrier": ["UA"] * 600 + ["a|b<i>"] * 290 + ["HA"] * 10})
    settings = EvidenceSettings(bootstrap=40, slices=("carrier",))
    notes = ["17 rows have no label\nyet and were left out."]
    return examine(y, p, np.full(900, 0.5), rows, CONTRACT, settings, 0, notes)


@pytest.fixture
def run(evidence):
    return Run(
        id="r-20130401-7f3a",
        project="punctuality",
        kind="model",
        dataset=DatasetVersion(
            name="punctuality",
            version=3,
            location="data",
            table_version=2,
            content="c0ffee",
            rows=80_000,
            labelled=78_500,
            first=moment(1),
            last=moment(31),
            columns={},
            provenance=Provenance(
                source="punctuality:load",
                since=None,
                until=None,
                loaded_at=moment(31),
                loaded_by="ann@lab",
                code="abc",
            ),
            parent=2,
        ),
        code=Code(reached="5eed", commit="deadbeef", diff="d1ff"),
        environment=Environment(python="3.11.9", platform="Linux", lock="10cc", cpus=2),
        params={"learning_rate": 0.1},
        seed=0,
        seeds={"split": 1},
        started=moment(31),
        durations={},
        train_rows=64_000,
        test_rows=900,
        cause="on demand",
        model="m0de1",
        evidence=evidence,
    )


def rows_of(card, heading):
    section = card.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_it_says_what_it_must(run):
    card = write_card(run, CONTRACT, judge(run.evidence, {"roc_auc": ">= 0.6"}))
    for words in (
        "# punctuality: model card",
        "Passed: 2 of 2 gates hold.",
        "The probability, from 0 to 1, that `late` is `yes` and not `no`.",
        "Why it was made: on demand.",
        "`punctuality@v3`",
        "2013-03-01 to 2013-03-31",
        "| left out, no label yet | 1,500 |",
        "| rows trained on | 64,000 |",
        "On 900 test rows",
        "(95%)",
        "Calibration: of 10 groups",
        "17 rows have no label yet and were left out.",
        "Unknown, with too few rows or one class only: carrier = HA.",
        "`gleis run --reproduce r-20130401-7f3a`",
        "`deadbeef`, with changes",
        '`{"learning_rate":0.1}`',
        "| Python | 3.11.9 |",
    ):
        assert words in card, words


def test_figures_stand_beside_the_baselines(run):
    table = rows_of(write_card(run, CONTRACT, judge(run.evidence, {})), "Quality")
    assert table[0] == ["figure", "better when", "this model", "baseline", "gain"]
    line = {row[0]: row for row in table}["log_loss"]
    assert line[1] == "lower"
    assert all(re.fullmatch(r"[\d.]+ \([\d.]+ to [\d.]+\)", cell) for cell in line[2:])
    precision = {row[0]: row for row in table}["precision"]
    assert precision[3:] == ["unknown", "unknown"]  # the constant calls nothing positive


def test_inputs(run):
    table = rows_of(write_card(run, CONTRACT, judge(run.evidence, {})), "Inputs")
    assert table[2] == ["`distance`", "number", "17 to 4983", "no", "miles"]
    assert table[3] == ["`carrier`", "category", r"3 values: AA, UA, a\|b\<i>", "yes", ""]
    assert "and 28 more" in table[4][2]


def test_values_break_neither_table_nor_page(run):
    card = write_card(run, CONTRACT, judge(run.evidence, {}))
    for heading in ("Data", "Quality", "Gates", "Slices", "Inputs", "Environment"):
        assert len({len(row) for row in rows_of(card, heading)}) == 1, heading
    assert not re.search(r"(?<!\\)<[a-z]", card)


def test_a_blocked_model_says_why(run):
    verdict = judge(run.evidence, {"roc_auc": ">= 0.99", "slices.carrier.HA.brier": "<= 1"})
    card = write_card(run, CONTRACT, verdict)
    assert "Blocked by 2 of 3 gates: roc_auc" in card
    assert [row[3] for row in rows_of(card, "Gates")[2:]] == ["fail", "unknown", "pass"]


def test_worst_slices_come_first(run):
    table = rows_of(write_card(run, CONTRACT, judge(run.evidence, {})), "Slices")
    assert table[0] == ["slice", "rows", "roc_auc", "log_loss", "brier"]
    values = [float(row[2].split()[0]) for row in table[2:]]
    assert len(values) == 2
    assert values == sorted(values)


def test_a_larger_error_is_worse(run):
    def part(value, error):
        figure = Figure(value=error, low=error - 1, high=error + 1)
        return SliceFigures(column="carrier", value=value, rows=500, figures={"mae": figure})

    bare = msgspec.structs.replace(run.evidence, slices=(part("UA", 5.0), part("AA", 9.0)))
    contract = msgspec.structs.replace(CONTRACT, task="regression", classes=None)
    run = msgspec.structs.replace(run, evidence=bare)
    table = rows_of(write_card(run, contract, judge(bare, {})), "Slices")
    assert [row[0] for row in table[2:]] == ["carrier = AA", "carrier = UA"]


def test_a_baselines_card(run, evidence):
    alone = msgspec.structs.replace(evidence, baseline={}, gain={}, slices=(), calibration=())
    baseline = msgspec.structs.replace(run, kind="baseline", evidence=alone)
    card = write_card(baseline, CONTRACT, judge_baseline(alone))
    assert "card of the baseline, a heuristic" in card
    assert "the heuristic is version 1" in card
    assert rows_of(card, "Quality")[0] == ["figure", "better when", "this model"]
    assert "## Slices" not in card


@pytest.mark.parametrize(
    ("task", "classes", "said"),
    [
        ("regression", None, "The value of `late`"),
        ("multiclass", ("a", "b", "c"), "each value of `late`: `a`, `b`, `c`"),
    ],
)
def test_other_tasks(run, task, classes, said):
    contract = msgspec.structs.replace(CONTRACT, task=task, classes=classes)
    bare = msgspec.structs.replace(run.evidence, slices=())
    run = msgspec.structs.replace(run, evidence=bare)
    assert said in write_card(run, contract, judge(bare, {}))


def test_without_time_and_git(run):
    data = msgspec.structs.replace(run.dataset, first=None, last=None)
    run = msgspec.structs.replace(run, dataset=data, code=Code(reached="5eed"))
    card = write_card(run, CONTRACT, judge(run.evidence, {}))
    assert "no time column" in card
    assert "| commit | no git |" in card
    assert "It knows the world" not in card


def test_the_same_run_gives_the_same_card(run):
    verdict = judge(run.evidence, {})
    assert write_card(run, CONTRACT, verdict) == write_card(run, CONTRACT, verdict)
