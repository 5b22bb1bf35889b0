from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from jsonschema import Draft202012Validator
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import RequestError
from gleis.contracts.prediction import LabelReceipt
from gleis.packaging.load import load_package
from gleis.serving.protocols.openapi.document import describe
from gleis.serving.service import Service
from signing_keys import TRUST

KINDS = ["rule", "binary", "multiclass", "regression"]


@pytest.fixture(params=KINDS)
def service(request, packages):
    package = load_package(packages[request.param].path, None, TRUST)
    version = Version(
        number=2,
        digest=package.digest,
        location="p",
        run="r",
        registered_at=datetime.now(UTC),
        passed=True,
    )
    return Service(package, version, SystemClock(), name="flights")


def validator(document, schema):
    """Check ``schema`` itself, then return what checks values; $ref looks into the document."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator({**schema, "components": document["components"]})


def content(operation, status=None):
    part = operation["responses"][status] if status else operation["requestBody"]
    return part["content"]["application/json"]


def test_the_document_describes_the_answers_that_are_given(service):
    document = msgspec.json.decode(msgspec.json.encode(describe(service)))
    assert document["openapi"] == "3.1.0"
    predict = document["paths"]["/predict"]["post"]
    answers = service.render(service.answer([ROW, ROW]), ["1-0-aaaaaaaa", "1-1-aaaaaaaa"])
    one, many = (
        msgspec.json.decode(msgspec.json.encode(x)) for x in (answers[0], {"predictions": answers})
    )
    check = validator(document, content(predict, "200")["schema"])
    check.validate(one)
    check.validate(many)
    assert not check.is_valid({**one, "prediction": "something else"})
    assert not check.is_valid({**one, "version": "2"})
    assert "score" in one or "probabilities" in one


def test_its_examples_are_valid_and_served(service):
    document = msgspec.json.decode(msgspec.json.encode(describe(service)))
    given = content(document["paths"]["/predict"]["post"])
    check = validator(document, given["schema"])
    for example in given["examples"].values():
        check.validate(example["value"])
        service.answer(example["value"].get("rows", [example["value"]]))


BODIES = [
    (ROW, True),
    (ROW | {"temp": None, "distance": 9e9, "carrier": "ZZ"}, True),
    (ROW | {"flight": 7}, None),
    (ROW | {"distance": None}, False),
    (ROW | {"distance": "800"}, False),
    (ROW | {"distance": True}, False),
    (ROW | {"hour": 3.5}, False),
    (ROW | {"carrier": 3}, False),
    (ROW | {"late": 1}, False),
    ({"distance": 3.0}, False),
]


@pytest.mark.parametrize(("row", "valid"), BODIES)
def test_the_row_schema_agrees_with_the_reader(service, row, valid):
    document = describe(service)
    check = validator(document, document["components"]["schemas"]["Row"])
    try:
        service.answer([row])
        accepted = True
    except RequestError:
        accepted = False
    assert check.is_valid(row) == accepted
    assert accepted is (service.contract.id == "flight" if valid is None else valid)


def test_labels_and_receipts(service):
    document = msgspec.json.decode(msgspec.json.encode(describe(service)))
    label = document["paths"]["/labels"]["post"]
    check = validator(document, content(label)["schema"])
    value = service.render(service.answer([ROW]), ["1-0-aaaaaaaa"])[0].prediction
    check.validate({"prediction_id": "1-0-aaaaaaaa", "label": value})
    check.validate({"labels": [{"id": 7, "label": value, "at": "2013-07-04T12:00:00Z"}]})
    assert not check.is_valid({"label": value})
    assert not check.is_valid({"id": 7, "prediction_id": "1", "label": value})
    assert not check.is_valid({"id": 7, "label": "something else"})
    receipt = msgspec.to_builtins(LabelReceipt(accepted=1, unknown=("a",), changed=()))
    validator(document, content(label, "202")["schema"]).validate(
        msgspec.json.decode(msgspec.json.encode(receipt))
    )
