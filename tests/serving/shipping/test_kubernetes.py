from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gleis.serving.shipping.context import to_yaml
from gleis.serving.shipping.dockerfile import Shipment
from gleis.serving.shipping.kubernetes import Cluster, manifests

SHIPMENT = Shipment(
    name="Late_Flights", version=3, digest="ab" * 32, python="3.11", title="Predicts late"
)
MADE = manifests(SHIPMENT, Cluster(image="late-flights:3", namespace="ml", replicas=3))
OWN = [
    doc
    for docs in MADE.values()
    for doc in docs
    if "k8s.io" in doc["apiVersion"]
    or "/" not in doc["apiVersion"]
    or doc["apiVersion"].split("/")[0] in ("apps", "autoscaling", "policy")
]


def of_kind(kind):
    return next(doc for docs in MADE.values() for doc in docs if doc["kind"] == kind)


def test_kinds_are_those_a_cluster_wants():
    kinds = [doc["kind"] for docs in MADE.values() for doc in docs]
    assert sorted(kinds) == [
        "HorizontalPodAutoscaler",
        "InferenceService",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "Service",
        "ServiceMonitor",
        "StatefulSet",
    ]


@pytest.mark.parametrize("document", OWN, ids=lambda doc: doc["kind"])
def test_the_api_server_would_take_it(document, tmp_path):
    path = tmp_path / "manifest.yaml"
    path.write_text(to_yaml(document))
    command = Path(sys.executable).with_name("kubernetes-validate")
    done = subprocess.run([command, "--strict", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_refuses_a_wrong_one(tmp_path):
    wrong = yaml.safe_load(to_yaml(of_kind("StatefulSet")))
    wrong["spec"]["template"]["spec"]["containers"][0]["portz"] = []
    path = tmp_path / "manifest.yaml"
    path.write_text(to_yaml(wrong))
    command = Path(sys.executable).with_name("kubernetes-validate")
    assert subprocess.run([command, "--strict", path], capture_output=True, check=False).returncode


def test_names_are_dns_names():
    for docs in MADE.values():
        for doc in docs:
            assert doc["metadata"]["name"].removesuffix("-replicas") == "late-flights"
            assert doc["metadata"]["namespace"] == "ml"


def test_selectors_meet_their_pods():
    labels = of_kind("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget"):
        selector = of_kind(kind)["spec"]["selector"]
        selector = selector.get("matchLabels", selector)
        assert selector.items() <= labels.items()
    assert of_kind("StatefulSet")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    target = of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("StatefulSet", "late-flights")


def test_a_pod_runs_without_rights():
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_log_outlives_its_pod():
    spec = of_kind("StatefulSet")["spec"]
    mounts = {
        m["name"]: m["mountPath"] for m in spec["template"]["spec"]["containers"][0]["volumeMounts"]
    }
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["data"]
    assert mounts["data"] == "/data"
    assert "data" not in [volume["name"] for volume in spec["template"]["spec"]["volumes"]]


def test_a_replica_is_scraped_once():
    monitor = of_kind("ServiceMonitor")["spec"]["selector"]
    scraped = [
        doc
        for doc in MADE["service.yaml"]
        if monitor["matchLabels"].items() <= doc["metadata"]["labels"].items()
        and doc["metadata"]["labels"].get("gleis/scrape") != "never"
    ]
    assert len(scraped) == 1


def test_kserve_gets_one_container_of_its_own_name():
    predictor = of_kind("InferenceService")["spec"]["predictor"]
    assert [container["name"] for container in predictor["containers"]] == ["kserve-container"]
    assert predictor["containers"][0]["readinessProbe"]["httpGet"] == {
        "path": "/readyz",
        "port": 8000,
    }
