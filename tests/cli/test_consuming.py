from __future__ import annotations

import json

import pytest

from commands import gleis
from gleis.store.home import Home
from kafka_cluster import QUICK, cluster, read, write
from trained_projects import copied

FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture(scope="module")
def brokers():
    with cluster() as brokers:
        yield brokers


def test_consume_answers_a_topic_with_the_champion(tmp_path, brokers):
    project = copied(tmp_path / "iris")
    (tmp_path / "kafka.properties").write_text("".join(f"{k}={v}\n" for k, v in QUICK.items()))
    write(brokers, "flowers", [FLOWER] * 30 + [b"no"])
    said = gleis(
        project,
        *("consume", "--brokers", brokers, "--topic", "flowers", "--reply-topic", "answers"),
        *("--dead-letter-topic", "odd", "--config", str(tmp_path / "kafka.properties")),
        *("--until-end", "--json"),
    )
    assert said.code == 0, said.err
    status = json.loads(said.out.splitlines()[-1])
    assert (status["answered"], status["bad"]) == (30, 1)
    home = Home(project / ".gleis")
    assert home.log.counts().predictions == 30
    assert home.log.position("kafka gleis-iris flowers/0") is not None
    home.close()
    assert len(read(brokers, "answers")) == 30
    assert len(read(brokers, "odd")) == 1


@pytest.mark.slow
def test_brokers_that_do_not_answer_are_said(tmp_path):
    project = copied(tmp_path / "iris")
    (tmp_path / "kafka.properties").write_text("log_level=0\n")
    said = gleis(
        project,
        *("consume", "--brokers", "127.0.0.1:1", "--topic", "flowers"),
        *("--config", str(tmp_path / "kafka.properties")),
    )
    assert said.code == 8
    assert "Kafka does not answer" in said.err
