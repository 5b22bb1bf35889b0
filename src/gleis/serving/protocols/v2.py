"""``/v2``: the Open Inference Protocol, as Triton, KServe and MLServer clients speak it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from gleis.contracts.contract import Contract
from gleis.contracts.errors import GleisError, UnknownModelError
from gleis.contracts.version import VERSION
from gleis.serving.answers import Answer
from gleis.serving.plane import Plane
from gleis.serving.protocols.v2_messages import InferRequest, read_request
from gleis.serving.protocols.v2_rows import Outputs, datatype_of, rows_of
from gleis.serving.protocols.v2_tensors import write
from gleis.serving.routes import (
    Handler,
    Reply,
    Request,
    Role,
    Route,
    encode,
    json_reply,
)
from gleis.serving.rows import Row
from gleis.serving.service import Service

_LARGE = 65_536
"""Bytes of a body from which on it is read beside the event loop."""
_LENGTH = b"inference-header-content-length"
_outputs = lru_cache(maxsize=8)(Outputs)


def error_body(error: GleisError) -> dict[str, Any]:
    """Return an error as the protocol writes it: one text.

    Examples
    --------
    >>> error_body(GleisError("There is no model", remedy="Promote one."))
    {'error': 'There is no model. Promote one.'}
    """
    return {"error": str(error)}


def routes(plane: Plane, draining: Callable[[], bool]) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    draining : callable
        Says whether the server shuts down.
    """

    async def server(_request: Request) -> Reply:
        extensions = ["binary_tensor_data"]
        return json_reply({"name": "gleis", "version": VERSION, "extensions": extensions})

    async def live(_request: Request) -> Reply:
        return json_reply({"live": True})

    async def ready(_request: Request) -> Reply:
        there = plane.live.current is not None and not draining()
        return json_reply({"ready": there}, 200 if there else 503)

    async def model(request: Request) -> Reply:
        return json_reply(_metadata(_asked(plane, request)))

    async def model_ready(request: Request) -> Reply:
        there = not draining()
        name = _asked(plane, request).name
        return json_reply({"name": name, "ready": there}, 200 if there else 503)

    async def infer(request: Request) -> Reply:
        contract = _asked(plane, request).contract
        body = await request.body()
        length = request.header(_LENGTH)
        if len(body) < _LARGE:
            asked, rows = _read(body, length, contract)
        else:
            asked, rows = await asyncio.to_thread(_read, body, length, contract)
        return _answer(asked, await plane.predict(rows), contract)

    def both(tail: str, handlers: dict[str, Handler], role: Role) -> list[Route]:
        starts = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
        return [Route(start + tail, handlers, role, error_body) for start in starts]

    return (
        Route("/v2", {"GET": server}, "open", error_body),
        Route("/v2/health/live", {"GET": live}, "open", error_body),
        Route("/v2/health/ready", {"GET": ready}, "open", error_body),
        *both("/infer", {"POST": infer}, "predict"),
        *both("/ready", {"GET": model_ready}, "open"),
        *both("", {"GET": model}, "open"),
    )


def _asked(plane: Plane, request: Request) -> Service:
    """Return the service whose model and version a path names."""
    service = plane.service
    name, version = request.params["model"], request.params.get("version")
    number = str(service.version.number)
    if name != service.name:
        raise UnknownModelError(
            "There is no such model here", seen=name, remedy=f"Ask for {service.name}."
        )
    if version not in (None, number):
        raise UnknownModelError(
            f"{service.name} does not answer in this version now",
            seen=version,
            remedy=f"Ask for version {number}, or for none.",
        )
    return service


def _metadata(service: Service) -> dict[str, Any]:
    outputs = _outputs(service.contract).offered
    return {
        "name": service.name,
        "versions": [str(service.version.number)],
        "platform": "gleis",
        "inputs": [
            {"name": column.name, "datatype": datatype_of(column), "shape": [-1]}
            for column in service.contract.features
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1, wide] if wide else [-1]}
            for name, (datatype, wide) in outputs.items()
        ],
    }


def _read(
    body: bytes, header_length: bytes | None, contract: Contract
) -> tuple[InferRequest, list[Row]]:
    request = read_request(body, header_length)
    for wanted in request.outputs or ():
        _outputs(contract).check(wanted.name, wanted.parameters or {})
    return request, rows_of(request.inputs, contract)


def _answer(asked: InferRequest, answers: list[Answer], contract: Contract) -> Reply:
    """Write the outputs asked for, each in JSON or in the binary part as it was asked for."""
    outputs = _outputs(contract)
    all_binary = bool((asked.parameters or {}).get("binary_data_output", False))
    chosen = (
        {
            one.name: bool((one.parameters or {}).get("binary_data", all_binary))
            for one in asked.outputs
        }
        if asked.outputs
        else dict.fromkeys(outputs.offered, all_binary)
    )
    head: dict[str, Any] = {
        "model_name": answers[0].model,
        "model_version": str(answers[0].version),
    }
    if asked.id:
        head["id"] = asked.id
    body, length = write(
        head, ((outputs.tensor(name, answers), apart) for name, apart in chosen.items()), encode
    )
    if length is None:
        return Reply(200, body)
    return Reply(200, body, b"application/octet-stream", ((_LENGTH, b"%d" % length),))
