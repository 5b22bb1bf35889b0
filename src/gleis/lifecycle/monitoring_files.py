"""Write what Prometheus, Alertmanager and Grafana are set up with to watch this project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError, StoreError
from gleis.lifecycle.shipping import Shipped
from gleis.serving.observing.files import texts
from gleis.serving.observing.stack import Stack, check_address, check_url

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens there is reached here


def stack_of(
    settings: Settings,
    *,
    targets: Sequence[str] = (),
    alertmanager: str | None = None,
    prometheus: str | None = None,
    webhook: str | None = None,
    key_file: Path | None = None,
) -> Stack:
    """Return who watches whom.

    Parameters
    ----------
    settings : Settings
    targets : sequence of str
        ``host:port`` of every service; by default the one of ``[serve]``.
    alertmanager : str, optional
        ``host:port``.
    prometheus, webhook : str, optional
        Addresses of the web.
    key_file : Path, optional
        File with the API key for Prometheus.

    Raises
    ------
    ConfigError
        An address is none.
    """
    usual = Stack(model=settings.project.name)
    key = str(key_file.absolute()) if key_file is not None else None
    return Stack(
        model=settings.project.name,
        targets=tuple(check_address(one, "--target") for one in targets or (_own(settings),)),
        scheme="http" if settings.serve.tls_cert is None else "https",
        key_file=key,
        alertmanager=check_address(alertmanager or usual.alertmanager, "--alertmanager"),
        prometheus=check_url(prometheus or usual.prometheus, "--prometheus"),
        webhook=None if webhook is None else check_url(webhook, "--webhook"),
        probabilities=settings.project.task != "regression",
    )


def write_monitoring(stack: Stack, into: Path | None = None) -> Shipped:
    """Write the folder.

    Parameters
    ----------
    stack : Stack
    into : Path, optional
        By default ``monitoring-NAME`` here; must not be there.

    Raises
    ------
    ConfigError
        The folder is there already.
    StoreError
        It cannot be written.
    """
    folder = into or Path(f"monitoring-{stack.model.lower()}")
    if folder.exists():
        raise ConfigError(
            "The folder is there already",
            seen=str(folder),
            remedy="Remove it, or take another one with --into.",
            field="--into",
        )
    files = []
    try:
        for name, text in texts(stack).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            files.append(Path(name))
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error}") from error
    return Shipped(folder=folder, files=tuple(files))


def _own(settings: Settings) -> str:
    host = _ANY.get(settings.serve.host, settings.serve.host)
    return f"[{host}]:{settings.serve.port}" if ":" in host else f"{host}:{settings.serve.port}"
