"""What ``[datasets.NAME]`` says of the source of a table beside the project's own dataset."""

from __future__ import annotations

from gleis.config.data_settings import DatasetSettings
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.workbench import Workbench


def settings_of(bench: Workbench, name: str) -> DatasetSettings:
    """Return ``[datasets.NAME]``.

    Raises
    ------
    RegistryError
        There is no such dataset.
    ConfigError
        It is the project's own, which ``load`` fills.
    """
    spec = bench.dataset(name).spec
    if spec.name not in bench.settings.datasets:
        raise ConfigError(
            "The project's own dataset has no other source than its load",
            seen=name,
            remedy="Append to a table beside it, [datasets.NAME], and read that one in load: "
            'gleis.table("NAME").',
            field="dataset",
        )
    return bench.settings.datasets[spec.name]


def source_of(bench: Workbench, name: str) -> str:
    """Return ``from`` of ``[datasets.NAME]``.

    Raises
    ------
    RegistryError, ConfigError
        There is no such dataset, or it has no source.
    """
    source = settings_of(bench, name).source
    if source is None:
        raise ConfigError(
            f"datasets.{name}.from is not set, so there is nothing to read",
            remedy="Say where the rows come from; or append them: gleis ingest.",
            field=f"datasets.{name}.from",
        )
    return source
