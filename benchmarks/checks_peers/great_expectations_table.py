"""Great Expectations on pandas: the median second, and how many expectations fail."""

from __future__ import annotations

import json
import sys
import time
from statistics import median

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd


def main() -> None:
    good, bad = (pd.read_parquet(path) for path in sys.argv[1:3])
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite("checks"))
    for name in [name for name in good.columns if name[0] == "x"]:
        between = gxe.ExpectColumnValuesToBeBetween
        suite.add_expectation(between(column=name, min_value=-10.0))
        suite.add_expectation(between(column=name, max_value=10.0))
    for name in ("id", "carrier", "tail"):
        suite.add_expectation(gxe.ExpectColumnValuesToNotBeNull(column=name))
    suite.add_expectation(gxe.ExpectColumnValuesToBeUnique(column="id"))
    suite.add_expectation(
        gxe.ExpectColumnValuesToBeInSet(column="carrier", value_set=["AA", "B6", "DL", "UA"])
    )
    suite.add_expectation(gxe.ExpectColumnValuesToMatchRegex(column="tail", regex=r"^N\d{5}$"))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="all", data=batch, suite=suite)
    )
    seconds = []
    for _ in range(max(2, int(sys.argv[3]) // 3)):
        started = time.perf_counter()
        found = definition.run(batch_parameters={"dataframe": good}, result_format="BOOLEAN_ONLY")
        seconds.append(time.perf_counter() - started)
        assert found.success
    results = definition.run(batch_parameters={"dataframe": bad}).results
    failing = sum(not each.success for each in results)
    print(json.dumps({"seconds": median(seconds), "failing": failing}))


if __name__ == "__main__":
    main()
