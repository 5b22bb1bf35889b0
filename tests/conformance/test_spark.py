"""MLflow's Spark UDF on the package's folder answers what the package answers."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import polars as pl
import pytest
from small_packages import BINARY, MULTICLASS, build, sample_rows

import gleis
from signing_keys import SIGNER, TRUST

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]
pyspark = pytest.importorskip("pyspark")


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    from pyspark.sql import SparkSession

    key = tmp_path_factory.mktemp("keys") / "tests.pub"
    key.write_bytes(SIGNER.public.pem)
    changed = pytest.MonkeyPatch()
    # Workers get a copy of the package, without the state folder that says whom to trust.
    changed.setenv("GLEIS_SIGNING__TRUST", str(key))
    changed.setenv("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join(sys.path))
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield session
    session.stop()
    changed.undo()


def rows(contract, count=500):
    columns, _ = sample_rows(contract, count, seed=2)
    return pl.DataFrame({"row": list(range(count)), **columns})


@pytest.mark.parametrize("contract", [BINARY, MULTICLASS], ids=["binary", "multiclass"])
def test_the_udf_answers_what_the_package_answers(spark, tmp_path, contract):
    import mlflow
    from pyspark.sql.functions import struct
    from pyspark.sql.types import ArrayType, DoubleType

    built = build(tmp_path / "packages", contract, run="spark")
    frame = rows(contract)
    frame.write_parquet(tmp_path / "in.parquet")
    wide = contract.task == "multiclass"
    score = mlflow.pyfunc.spark_udf(
        spark,
        str(built.path),
        result_type=ArrayType(DoubleType()) if wide else DoubleType(),
        env_manager="local",
    )
    data = spark.read.parquet(str(tmp_path / "in.parquet")).repartition(4)
    scored = data.withColumn("score", score(struct(*contract.names))).select("row", "score")
    found = {row["row"]: row["score"] for row in scored.collect()}
    expected = gleis.load(built.path, trust=TRUST).predict(frame)
    np.testing.assert_array_equal(np.array([found[at] for at in range(frame.height)]), expected)
