"""``gleis build image``, ``gleis build k8s``, ``gleis build monitoring``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say, working

if TYPE_CHECKING:
    from gleis.lifecycle.shipping import Shipped

VersionRef = Annotated[
    str, typer.Argument(help="v3, 3, or an alias.", metavar="VERSION", show_default=True)
]
Into = Annotated[Path | None, typer.Option(help="Folder to make.")]

build = typer.Typer(
    help="Build a container image, Kubernetes manifests, or what Prometheus and Grafana need.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@build.command()
def image(
    version: VersionRef = "champion",
    into: Into = None,
    only_files: Annotated[
        bool, typer.Option("--only-files", help="Write the folder, build nothing.")
    ] = False,
    vendor: Annotated[
        bool,
        typer.Option("--vendor", help="Download the wheels now; building needs no index then."),
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make a slim image of a package and its server, and what runs beside it.

    Writes a folder with Dockerfile and docker-compose.yaml; builds the image if docker, podman or
    buildah is there.

    Example: gleis build image champion
    """
    from gleis.lifecycle.shipping import ship_image  # keeps `gleis --help` light

    opened = open_project(project)
    with working("Building the image"):
        found = opened.registry.get(version)
        made = ship_image(opened, found, into, build=not only_files, vendor=vendor)
    if as_json:
        print_json(made)
        return
    _tell(made)
    folder = shlex.quote(str(made.folder))
    if made.image is None:
        say(f"Build it: docker build -t NAME {folder}")
    else:
        say(f"Built {made.image} with {made.engine}.", style="green")
    say(f"Run it with Prometheus and Grafana: docker compose --project-directory {folder} up")


@build.command()
def k8s(
    image: Annotated[str, typer.Option(help="Image reference, as the cluster pulls it.")],
    version: VersionRef = "champion",
    into: Into = None,
    namespace: Annotated[str, typer.Option(help="Namespace.")] = "default",
    replicas: Annotated[int, typer.Option(help="Replicas at least.", min=1)] = 2,
    most: Annotated[int, typer.Option(help="Replicas at most.", min=1)] = 10,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Write Kubernetes manifests for an image.

    Example: gleis build k8s champion --image churn:3
    """
    from gleis.lifecycle.shipping import ship_manifests  # keeps `gleis --help` light
    from gleis.serving.shipping.kubernetes import Cluster

    opened = open_project(project)
    cluster = Cluster(image=image, namespace=namespace, replicas=replicas, most=max(most, replicas))
    made = ship_manifests(opened, opened.registry.get(version), cluster, into)
    if as_json:
        print_json(made)
        return
    _tell(made)
    say("With KServe apply kserve.yaml only; else all the others.")
    folder = shlex.quote(str(made.folder))
    say(f"Apply them: kubectl apply -f {folder}")


@build.command()
def monitoring(
    into: Into = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="host:port of a service; may be repeated. By default that of [serve]."),
    ] = None,
    alertmanager: Annotated[
        str | None, typer.Option(help="host:port of Alertmanager; by default here, 9093.")
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option(help="URL at which Grafana finds it; by default here, 9090.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(help="URL that Alertmanager posts alerts to.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the API key that Prometheus sends.")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Write what Prometheus, Alertmanager and Grafana need to watch this project.

    Scraping, alert rules with their tests, routes of alerts, and five dashboards. Nothing is
    started.

    Example: gleis build monitoring --webhook http://127.0.0.1:9095/alerts
    """
    from gleis.lifecycle.monitoring_files import (  # keeps `gleis --help` light
        stack_of,
        write_monitoring,
    )

    opened = open_project(project)
    stack = stack_of(
        opened.settings,
        targets=target or (),
        alertmanager=alertmanager,
        prometheus=prometheus,
        webhook=webhook,
        key_file=key_file,
    )
    made = write_monitoring(stack, into)
    if as_json:
        print_json(made)
        return
    _tell(made)
    folder = shlex.quote(str(made.folder))
    say(f"Start Prometheus: prometheus --config.file={folder}/prometheus.yml")
    say(f"Test the rules: promtool test rules {folder}/rules_test.yml")
    say("docs/prometheus.md says how Alertmanager and Grafana are started.")


def _tell(made: Shipped) -> None:
    say(f"{made.folder}", style="bold")
    for path in made.files:
        if path.parts[0] != "package":
            say(f"  {path}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(build, name="build")
