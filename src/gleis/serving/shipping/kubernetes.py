"""Kubernetes manifests of a shipped package."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.serving.shipping.dockerfile import Shipment

Manifest = dict[str, Any]

_PORT = 8000
_USER = 10001


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """How many, how large, where."""

    image: str
    """Image reference, with its registry if need be."""
    namespace: str = "default"
    replicas: int = 2
    most: int = 10
    """Replicas at most."""
    cpu: str = "1"
    """One worker saturates one core."""
    memory: str = "256Mi"
    log_size: str = "10Gi"
    """Volume of each replica's prediction log."""


def manifests(shipment: Shipment, cluster: Cluster) -> dict[str, list[Manifest]]:
    """Return file name -> documents.

    The prediction log of a replica is on a volume of its own that outlives the pod, so the
    workload is a StatefulSet: an answer's record must not go with the pod that gave it.
    """
    return {
        "workload.yaml": [_workload(shipment, cluster)],
        "service.yaml": [_service(shipment, cluster), _headless(shipment, cluster)],
        "autoscaling.yaml": [_autoscaler(shipment, cluster), _budget(shipment, cluster)],
        "network.yaml": [_network(shipment, cluster)],
        "monitoring.yaml": [_monitor(shipment, cluster)],
        "kserve.yaml": [_inference(shipment, cluster)],
    }


def _name(shipment: Shipment) -> str:
    """Write the model's name as DNS takes it."""
    return shipment.name.lower().replace("_", "-").strip("-")[:52]


def _labels(shipment: Shipment) -> dict[str, str]:
    return {"app.kubernetes.io/name": _name(shipment), "app.kubernetes.io/part-of": "gleis"}


def _meta(shipment: Shipment, cluster: Cluster, suffix: str = "") -> Manifest:
    version = {"app.kubernetes.io/version": str(shipment.version)}
    return {
        "name": _name(shipment) + suffix,
        "namespace": cluster.namespace,
        "labels": _labels(shipment) | version,
        "annotations": {"gleis/package": shipment.digest},
    }


def _workload(shipment: Shipment, cluster: Cluster) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _meta(shipment, cluster),
        "spec": {
            "serviceName": f"{_name(shipment)}-replicas",
            "replicas": cluster.replicas,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": _labels(shipment)},
            "template": {
                "metadata": {"labels": _labels(shipment)},
                "spec": _pod(shipment, cluster),
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": cluster.log_size}},
                    },
                }
            ],
        },
    }


def _pod(shipment: Shipment, cluster: Cluster) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        # Long enough to say goodbye to clients and to finish what was accepted.
        "terminationGracePeriodSeconds": 45,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _labels(shipment)},
            }
        ],
        "containers": [_container(cluster)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _container(cluster: Cluster) -> Manifest:
    size = {"cpu": cluster.cpu, "memory": cluster.memory}
    return {
        "name": "gleis",
        "image": cluster.image,
        "ports": [{"name": "http", "containerPort": _PORT}],
        # Who may ask is said by network.yaml; with an OIDC issuer, GLEIS_ACCESS__ISSUER says it.
        "env": [{"name": "GLEIS_ACCESS__OPEN", "value": "true"}],
        "resources": {"requests": size, "limits": {"memory": cluster.memory}},
        "startupProbe": _probe("/livez", every=1, failures=30),
        "livenessProbe": _probe("/livez", every=10, failures=3),
        "readinessProbe": _probe("/readyz", every=2, failures=2),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
        ],
    }


def _probe(path: str, *, every: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": every,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }


def _service(shipment: Shipment, cluster: Cluster) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(shipment, cluster),
        "spec": {
            "selector": _labels(shipment),
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def _headless(shipment: Shipment, cluster: Cluster) -> Manifest:
    made = _service(shipment, cluster)
    made["metadata"] = _meta(shipment, cluster, "-replicas")
    made["metadata"]["labels"]["gleis/scrape"] = "never"
    made["spec"] = {"clusterIP": "None", **made["spec"]}
    return made


def _autoscaler(shipment: Shipment, cluster: Cluster) -> Manifest:
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": _name(shipment)}
    busy = {"type": "Utilization", "averageUtilization": 70}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _meta(shipment, cluster),
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": cluster.replicas,
            "maxReplicas": cluster.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def _budget(shipment: Shipment, cluster: Cluster) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(shipment, cluster),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(shipment)}},
    }


def _network(shipment: Shipment, cluster: Cluster) -> Manifest:
    """Whoever is in the namespace may ask; Prometheus too; the pod itself calls nobody."""
    port = [{"port": "http", "protocol": "TCP"}]
    monitoring = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _meta(shipment, cluster),
        "spec": {
            "podSelector": {"matchLabels": _labels(shipment)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [{"podSelector": {}}], "ports": port},
                {"from": [{"namespaceSelector": monitoring}], "ports": port},
            ],
            "egress": [],
        },
    }


def _monitor(shipment: Shipment, cluster: Cluster) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": _meta(shipment, cluster),
        "spec": {
            # One service, not both: every replica would be counted twice.
            "selector": {
                "matchLabels": _labels(shipment),
                "matchExpressions": [
                    {"key": "gleis/scrape", "operator": "NotIn", "values": ["never"]}
                ],
            },
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "15s"}],
        },
    }


def _inference(shipment: Shipment, cluster: Cluster) -> Manifest:
    """For a cluster with KServe, in place of workload, service and autoscaler."""
    container = _container(cluster)
    container["name"] = "kserve-container"
    container["ports"] = [{"containerPort": _PORT, "protocol": "TCP"}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        container[probe]["httpGet"]["port"] = _PORT
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": _meta(shipment, cluster),
        "spec": {
            "predictor": {
                "minReplicas": cluster.replicas,
                "maxReplicas": cluster.most,
                "containers": [container],
                "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "emptyDir": {}}],
            }
        },
    }
