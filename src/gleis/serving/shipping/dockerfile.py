"""The Dockerfile of a package: no compiler, no root, nothing that the server does not load."""

from __future__ import annotations

from string import Template

import msgspec

_DOCKERFILE = Template("""\
# $title
# Written by gleis build image. The folder beside it is all it needs.
ARG BASE=python:$python-slim
FROM $${BASE} AS build
COPY requirements.txt /build/requirements.txt
${wheels}\
RUN python3 -m venv --copies /app/venv \\
    && /app/venv/bin/python -m pip install --no-cache-dir --no-compile --require-virtualenv \\
       $options-r /build/requirements.txt \\
    && /app/venv/bin/python -m pip uninstall --yes pip

ARG BASE=python:$python-slim
FROM $${BASE}
LABEL org.opencontainers.image.title="$name" \\
      org.opencontainers.image.version="$version" \\
      org.opencontainers.image.description="$title" \\
      ai.gleis.package="$digest"
COPY --from=build /app/venv /app/venv
COPY lib /app/lib
COPY project /app/project
COPY package /app/package
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gleis \\
    && mkdir /data && chown 10001:10001 /data
ENV PYTHONPATH=/app/lib PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \\
    GLEIS_STATE=/data OMP_NUM_THREADS=1
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \\
    CMD ["/app/venv/bin/python", "-m", "gleis.serving.shipping.probe"]
ENTRYPOINT ["/app/venv/bin/python", "-m", "gleis.lifecycle.packaged"]
CMD ["/app/project", "/app/package", "$digest"]
""")


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into an image."""

    name: str
    """Name of the model, and of the image."""
    version: int
    digest: str
    """The package's."""
    python: str
    """``3.11``: the Python the package was tested with."""
    title: str
    """A line for people."""
    probabilities: bool = True
    """False if its scores are values: a regression."""
    vendored: bool = False
    """True if the wheels lie in the folder, so that building asks no package index."""

    @property
    def tag(self) -> str:
        """Name and tag of the image.

        Examples
        --------
        >>> Shipment(name="Churn", version=3, digest="ab", python="3.11", title="t").tag
        'churn:3'
        """
        return f"{self.name.lower()}:{self.version}"


def dockerfile(shipment: Shipment) -> str:
    """Write the Dockerfile.

    The base image may be another one (``--build-arg BASE=...``) with the same Python.
    """
    vendored = shipment.vendored
    return _DOCKERFILE.substitute(
        msgspec.structs.asdict(shipment),
        wheels="COPY wheels /build/wheels\n" if vendored else "",
        options="--no-index --find-links /build/wheels " if vendored else "",
    )
