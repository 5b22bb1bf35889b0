from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.packaging.build import build_package
from signing_keys import SIGNER

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
DATASET = DatasetVersion(
    name="shops",
    version=3,
    location="datasets/shops",
    table_version=2,
    content="ab" * 32,
    rows=400,
    labelled=380,
    first=datetime(2025, 1, 1, tzinfo=UTC),
    last=datetime(2025, 12, 31, tzinfo=UTC),
    columns={"shop": "String", "size": "Float64"},
    provenance=Provenance(
        source="shops:load",
        since=None,
        until=None,
        loaded_at=datetime(2026, 1, 1, tzinfo=UTC),
        loaded_by="me@here",
        code="cd" * 32,
    ),
    parent=2,
)


@pytest.fixture
def bill(parts, tmp_path):
    """Return the bill of a package, from its folder, checked by CycloneDX's strict validator."""

    def read(kind, **changes):
        made = msgspec.structs.replace(parts(kind), dataset=DATASET, **changes)
        text = (build_package(made, tmp_path / kind, SIGNER).path / "sbom.cdx.json").read_text()
        error = VALIDATOR.validate_str(text)
        assert error is None, error
        return json.loads(text)

    return read


@pytest.mark.parametrize("kind", ["boosting", "linear", "forest", "regression", "rule"])
def test_it_is_valid_and_says_what_the_model_is(bill, parts, kind):
    model = bill(kind)["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert model["version"] == parts(kind).run
    parameters = model["modelCard"]["modelParameters"]
    assert parameters["approach"] == {"type": "supervised"}
    assert len(parameters["inputs"]) == len(parts(kind).contract.features)
    assert "size: number, from -4.0 to 4.0, may be missing" in [
        one["format"] for one in parameters["inputs"]
    ]
    assert parameters["datasets"] == [{"ref": "data"}]


def test_a_bill_that_is_wrong_is_noticed(bill):
    found = bill("rule")
    found["metadata"]["component"]["modelCard"]["modelParameters"]["approach"]["type"] = "guessed"
    assert VALIDATOR.validate_str(json.dumps(found)) is not None


def test_its_figures_are_the_evidence(bill, parts):
    metrics = bill("rule")["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]
    figure = parts("rule").evidence.figures["roc_auc"]
    assert metrics["performanceMetrics"] == [
        {
            "type": "roc_auc",
            "value": str(figure.value),
            "slice": "all 60 test rows",
            "confidenceInterval": {"lowerBound": str(figure.low), "upperBound": str(figure.high)},
        }
    ], "what is not a number is left out"


def test_a_slice_has_figures_of_its_own_and_an_unknown_one_is_a_limit(bill, parts):
    evidence = parts("rule").evidence
    part = msgspec.structs.replace(
        evidence.slices[0], value="b", figures={"roc_auc": evidence.figures["roc_auc"]}
    )
    both = msgspec.structs.replace(evidence, slices=(evidence.slices[0], part), notes=("A note.",))
    card = bill("rule", evidence=both)["metadata"]["component"]["modelCard"]
    slices = [m["slice"] for m in card["quantitativeAnalysis"]["performanceMetrics"]]
    assert slices == ["all 60 test rows", "shop = b, 9 test rows"]
    limits = card["considerations"]["technicalLimitations"]
    assert "Too few rows to judge shop = a: 9." in limits
    assert "A note." in limits


def test_the_files_of_the_model_have_their_hashes(parts, bill, tmp_path):
    files = bill("linear")["metadata"]["component"]["components"]
    content = parts("linear").estimator
    assert [file["name"] for file in files] == ["model.skops", "model.types.json"]
    assert files[0]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}
    ]


def test_every_pin_is_a_component_with_an_address(bill, parts):
    found = bill("boosting")
    libraries = [one for one in found["components"] if one["type"] == "library"]
    assert [f"{one['name']}=={one['version']}" for one in libraries] == list(
        parts("boosting").requirements.pins
    )
    assert all(re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[^/@]+", one["purl"]) for one in libraries)
    by_name = {one["name"]: one for one in libraries}
    assert by_name["numpy"]["scope"] == "required"
    assert by_name["mlflow"]["scope"] == "optional"
    assert by_name["msgspec"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert by_name["cryptography"]["licenses"] == [{"expression": "Apache-2.0 OR BSD-3-Clause"}]
    assert not any("hashes" in one for one in libraries), "what is installed is not the archive"


def test_the_graph_hangs_together(bill, parts):
    found = bill("linear")
    refs = {one["bom-ref"] for one in found["components"]} | {"model"}
    graph = {one["ref"]: set(one.get("dependsOn", ())) for one in found["dependencies"]}
    assert set(graph) == refs
    assert set().union(*graph.values()) <= refs
    purls = {one["name"]: one["bom-ref"] for one in found["components"]}
    assert graph["model"] >= {purls["numpy"], purls["scikit-learn"], "data"}
    assert graph[purls["scikit-learn"]] >= {purls["joblib"], purls["scipy"]}
    reached, pending = set(), ["model"]
    while pending:
        ref = pending.pop()
        if ref not in reached:
            reached.add(ref)
            pending.extend(graph[ref])
    serving_only = {purls[n] for n in parts("linear").requirements.serving}
    assert refs - reached <= serving_only


def test_the_data_is_named_by_its_content(bill):
    data = next(one for one in bill("rule")["components"] if one["type"] == "data")
    assert (data["name"], data["version"]) == ("shops", "v3")
    assert {"name": "gleis:content", "value": "ab" * 32} in data["properties"]
    assert "400 rows, 380 of them labelled" in data["description"]


def test_data_that_is_not_known_is_not_made_up(parts, tmp_path):
    text = (build_package(parts("rule"), tmp_path, SIGNER).path / "sbom.cdx.json").read_text()
    assert VALIDATOR.validate_str(text) is None
    assert '"data"' not in text


def test_the_same_package_has_the_same_bill(bill):
    one, again = bill("rule"), bill("rule")
    assert one == again
    assert one["serialNumber"] != bill("rule", run="run-2")["serialNumber"]
