"""The observer of fairness on a real log, and how protected values are found."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from benches import ROW, START, open_bench, with_champion
from commands import gleis
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.asking import label, predict
from gleis.lifecycle.live_fairness import find_live_fairness
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.protected import Protected
from gleis.lifecycle.watching import Watching
from small_projects import make_shifting

GATES = {"roc_auc": ">= 0.6", "fairness.channel.statistical_parity_ratio": ">= 0.8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_shifting(tmp_path_factory.mktemp("fair") / "p")
    text = (folder / "gleis.toml").read_text()
    text = text.replace(
        "[gates]\n", '[gates]\n"fairness.channel.statistical_parity_ratio" = ">= 0.01"\n'
    )
    (folder / "gleis.toml").write_text(
        text + '\n[fairness]\nprotected = ["channel"]\nmin_group = 10\n'
    )
    with_champion(folder).home.close()
    return folder


@pytest.fixture
def bench(folder):
    bench = open_bench(folder, {"gates": GATES})
    yield bench
    bench.home.close()


def test_a_gate_that_production_breaks_is_told(bench):
    """Phone callers look at one page only, and nearly none of them is said to buy."""
    watching, told = Watching(bench), []
    for day in range(4):
        at = START + timedelta(days=day)
        bench.clock.move_to(at + timedelta(hours=12))
        rows = [
            ROW | {"channel": name, "pages": pages, "at": at + timedelta(minutes=i)}
            for i in range(60)
            for name, pages in (("web", 11), ("phone", 1))
        ]
        answers = predict(bench, rows)
        label(bench, [{"prediction_id": one["prediction_id"], "label": 1} for one in answers])
        bench.clock.move_to(at + timedelta(hours=23))
        told += watching.observe(bench.clock.now()).alarms
        watching.keep()
        watching = Watching(bench)
    (alarm,) = [alarm for alarm in told if alarm.kind == "fairness"]
    assert alarm.subject == "fairness.channel.statistical_parity_ratio"
    assert alarm.evidence >= alarm.threshold
    assert "the gate asks >= 0.8: selection rate 0.00 for phone, " in alarm.message
    assert alarm.message.endswith(" for web; at most 0.25 false alarms per year")
    seen = watching.summary()["fairness"]
    assert (seen["answers"], seen["labelled"]) == (480, 480)
    assert seen["answers_of_unknown_groups"] == 0
    (figure,) = [
        figure
        for figure in watching.figures()
        if figure.name == "gleis_fairness"
        and figure.labels == {"attribute": "channel", "figure": "statistical_parity_ratio"}
    ]
    assert figure.value == seen["figures"][alarm.subject].value < 0.5
    asked = find_live_fairness(bench)
    assert (asked.answers, asked.unknown, asked.labelled) == (480, 0, 480)
    ratio = asked.live.attributes[0].figures["statistical_parity_ratio"]
    assert ratio.value == figure.value, "without the monitors' state, the same"
    assert asked.evidence.attributes[0].name == "channel"
    said = gleis(bench.folder, "fairness", "--live", "--json")
    assert said.code == 0, said.err
    assert said.json["answers"] == 0, "all of this was two years ago"


def test_values_that_requests_do_not_carry_are_looked_up_by_id(bench):
    live = bench.deployments.champion().version
    contract = read_parts(bench, live).contract
    without = msgspec.structs.replace(
        contract, features=tuple(c for c in contract.features if c.name != "channel")
    )
    predict(bench, [ROW | {"visit": visit} for visit in (0, 1, 999_999)])
    batches = [logged.batch for logged in bench.home.log.read(bench.home.log.end() - 1)]
    frame, known = Protected(bench, without).of(batches)
    data = bench.read(bench.datasets.get("latest"))
    assert known.tolist() == [True, True, False]
    assert frame["channel"].to_list() == [*data["channel"].to_list()[:2], None]
    sent, all_known = Protected(bench, contract).of(batches)
    assert sent["channel"].to_list() == ["web"] * 3
    assert all_known.all()


def test_nothing_to_compare_is_said_at_once(folder):
    bench = open_bench(folder, {"fairness.protected": [], "gates": {"roc_auc": ">= 0.6"}})
    with pytest.raises(ConfigError, match="no groups to compare"):
        find_live_fairness(bench)
    bench.home.close()


def test_no_groups_are_watched_where_none_are_named(folder):
    bench = open_bench(folder, {"fairness.protected": [], "gates": {"roc_auc": ">= 0.6"}})
    watching = Watching(bench)
    watching.observe(bench.clock.now())
    assert "fairness" not in watching.summary()
    bench.home.close()
