"""Runs, figures and versions in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from gleis.contracts.errors import StoreError
from gleis.store.mlflow_client import Mlflow, mlflow_failure, open_mlflow
from gleis.store.moments import to_micros

_METRICS_A_CALL = 1000
_PARAMS_A_CALL = 100
_TAGS_A_CALL = 100


class Tracking:
    """One experiment on an MLflow server, or in an MLflow database of our own.

    Opens (and imports MLflow, seconds) when first used. A database's tables are made on first use;
    its artifacts go to ``artifacts``, so nothing is written to the working directory.

    Parameters
    ----------
    uri : str
        ``sqlite:///...``, ``postgresql+psycopg://...``, or the URL of a server.
    artifacts : Path
        Folder of a database's artifacts; a server has its own place.
    experiment : str
        Name of the experiment; made if need be.

    Raises
    ------
    StoreError
        In every method: MLflow's database or server fails, or does not know what was named.
    """

    def __init__(self, uri: str, artifacts: Path, experiment: str) -> None:
        self.uri = uri
        self.experiment = experiment
        self._artifacts = artifacts

    def log_run(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        texts: Mapping[str, str],
        started: datetime,
        ended: datetime,
    ) -> str:
        """Write a finished run; return its id.

        Parameters
        ----------
        name : str
            Shown in MLflow's table.
        params, metrics, tags : mapping
            By name. Metrics that are not finite are left out: MLflow draws them as 0 or not at
            all.
        texts : mapping of str to str
            File name to content.
        started, ended : datetime
            Timezone-aware.
        """
        with self._explained():
            client, entities = self._mlflow.client, self._mlflow.entities
            run: str = client.create_run(
                self._experiment_id, start_time=_millis(started), run_name=name
            ).info.run_id
            stamp = _millis(ended)
            figures = [
                entities.Metric(key, float(value), stamp, 0)
                for key, value in metrics.items()
                if math.isfinite(value)
            ]
            self._log(run, figures)
            for chunk in _chunks(list(params.items()), _PARAMS_A_CALL):
                client.log_batch(run, params=[entities.Param(k, str(v)) for k, v in chunk])
            for chunk in _chunks(list(tags.items()), _TAGS_A_CALL):
                client.log_batch(run, tags=[entities.RunTag(k, v) for k, v in chunk])
            for file, text in texts.items():
                client.log_text(run, text, file)
            client.set_terminated(run, end_time=stamp)
        return run

    def find_run(self, tag: str, value: str) -> str | None:
        """Return the id of the newest run that carries a tag; None if there is none.

        Parameters
        ----------
        tag, value : str
            Without backticks and quotes.
        """
        with self._explained():
            found = self._mlflow.client.search_runs(
                [self._experiment_id], f"tags.`{tag}` = '{value}'", max_results=1
            )
        return str(found[0].info.run_id) if found else None

    def log_series(self, run: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> None:
        """Add figures by step to a finished run: weekly losses, say.

        Parameters
        ----------
        run : str
            Run id.
        series : mapping of str to sequence of (step, value)
            Points that are not finite are left out.
        """
        with self._explained():
            info = self._mlflow.client.get_run(run).info
            stamp = info.end_time or info.start_time
            metric = self._mlflow.entities.Metric
            points = (
                metric(key, float(value), stamp, step)
                for key, line in series.items()
                for step, value in line
                if math.isfinite(value)
            )
            self._log(run, list(points))

    def set_tag(self, run: str, key: str, value: str) -> None:
        """Set a tag of a run."""
        with self._explained():
            self._mlflow.client.set_tag(run, key, value)

    def create_version(
        self, name: str, folder: Path, run: str | None, tags: Mapping[str, str]
    ) -> int:
        """Register the package in ``folder``; return the number MLflow gave it.

        A database refers to the folder; to a server the files are sent, as artifacts of the
        run.

        Parameters
        ----------
        name : str
            Registered model; made if need be.
        folder : Path
            An MLflow model directory.
        run : str or None
            Run id it came from; a server needs one.
        tags : mapping of str to str
            Tags of the version.
        """
        with self._explained():
            client = self._mlflow.client
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name)
            source = str(folder) if self._local else self._send(folder, run)
            version = client.create_model_version(name, source, run_id=run, tags=dict(tags))
        return int(version.version)

    def version_tags(self, name: str) -> dict[int, dict[str, str]]:
        """Return the tags of every version of a registered model; empty if there is none."""
        with self._explained():
            versions = self._mlflow.client.search_model_versions(f"name = '{name}'")
        return {int(version.version): dict(version.tags) for version in versions}

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Point an alias of a registered model at a version."""
        with self._explained():
            self._mlflow.client.set_registered_model_alias(name, alias, str(version))

    def aliases(self, name: str) -> dict[str, int]:
        """Return the aliases of a registered model; empty if there is none."""
        with self._explained():
            found = self._mlflow.client.search_registered_models(f"name = '{name}'")
        return {a: int(v) for model in found for a, v in model.aliases.items()}

    @property
    def _local(self) -> bool:
        return self.uri.startswith(("sqlite:", "postgresql"))

    @cached_property
    def _mlflow(self) -> Mlflow:
        return open_mlflow(self.uri)

    @cached_property
    def _experiment_id(self) -> str:
        client = self._mlflow.client
        known = client.get_experiment_by_name(self.experiment)
        if known is not None:
            return str(known.experiment_id)
        place = self._artifacts.absolute().as_uri() if self._local else None
        return str(client.create_experiment(self.experiment, artifact_location=place))

    def _log(self, run: str, points: list[Any]) -> None:
        for chunk in _chunks(points, _METRICS_A_CALL):
            self._mlflow.client.log_batch(run, metrics=chunk)

    def _send(self, folder: Path, run: str | None) -> str:
        if run is None:
            raise StoreError(
                "An MLflow server keeps a package with its run, but none was named",
                seen=str(folder),
                remedy="Register the package with the id of its MLflow run.",
            )
        client = self._mlflow.client
        client.log_artifacts(run, str(folder), "package")
        return f"{client.get_run(run).info.artifact_uri}/package"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        failures = self._mlflow.failures
        try:
            yield
        except failures as error:
            raise mlflow_failure(self.uri, error) from error


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _millis(moment: datetime) -> int:
    return to_micros(moment) // 1000
