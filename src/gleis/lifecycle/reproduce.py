"""Repeat a run from its record: same rows, parameters and seeds, today's code and machine."""

from __future__ import annotations

import msgspec
import numpy as np

from gleis.contracts.errors import RegistryError
from gleis.contracts.run import Run
from gleis.lifecycle.reproduction import Reproduction
from gleis.lifecycle.workbench import Workbench
from gleis.training.cache import StepCache
from gleis.training.environment import lock
from gleis.training.keys import function_code, model_code
from gleis.training.results import Fitted
from gleis.training.trainer import Trainer


def reproduce(bench: Workbench, run: Run) -> Reproduction:
    """Fit again and compare the model's bytes and its scores on the test rows.

    Parameters
    ----------
    bench : Workbench
    run : Run
        A run of kind ``model``.

    Raises
    ------
    RegistryError
        If the run is a baseline, or its model was adopted: there is nothing to fit.
    """
    if run.kind != "model":
        raise RegistryError(
            "this run is a baseline; there is nothing to fit", seen=run.id, remedy="Name another."
        )
    if run.adopted is not None:
        raise RegistryError(
            "this run took its model from a file; there is nothing to fit",
            seen=run.id,
            remedy=f"Compare the file: its SHA-256 is {run.adopted}.",
        )
    split = bench.settings.split
    test = split.test if run.test is None else run.test
    split = msgspec.structs.replace(split, since=run.since, test=test)
    settings = msgspec.structs.replace(
        bench.settings, params=run.params, seed=run.seed, split=split
    )
    trainer = Trainer(
        bench.folder,
        settings,
        bench.home.artifacts,
        StepCache(_Forgetful(), bench.home.artifacts.has),
        bench.read,
    )
    again = trainer.fit(run.dataset)
    before = trainer.scores(_fitted_before(trainer, run, again))
    now = trainer.scores(again)
    return Reproduction(
        run=run.id,
        same_model=again.estimator == run.model,
        largest_difference=float(np.abs(now - before).max()) if now.shape == before.shape else 1e9,
        differences=tuple(_differences(bench, run)),
        rows=len(now),
    )


def _fitted_before(trainer: Trainer, run: Run, again: Fitted) -> Fitted:
    """Score the recorded model on the rows of today's split: the record keeps the model."""
    recorded = msgspec.structs.replace(again, estimator=run.model)
    prepared = trainer.prepare(run.dataset)
    features = prepared.features[prepared.split.test]
    scores = trainer.estimator(recorded).predict(
        {n: features[n].to_list() for n in features.columns}
    )
    return msgspec.structs.replace(recorded, scores=trainer.put_scores(scores))


def _differences(bench: Workbench, run: Run) -> list[str]:
    found = []
    if erased := bench.datasets.placed(run.dataset).erased:
        found.append(f"{erased:,} rows of {run.dataset.label} that were erased since")
    functions = ("build_model", "baseline")
    now = [function_code(bench.folder, bench.settings, name) for name in functions]
    if model_code(*now) != run.code.reached:
        found.append("the source reached from build_model or baseline")
    before = set(bench.home.artifacts.get(run.environment.lock).decode().splitlines())
    installed = set(lock().splitlines())
    changed = sorted(installed - before)
    if changed:
        found.append(f"{len(changed)} installed distributions, such as {', '.join(changed[:3])}")
    return found


class _Forgetful:
    """Keeps nothing: a repetition must not be answered from the cache."""

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, body: bytes) -> None:
        return None

    def close(self) -> None:
        return None
