"""Grafana dashboards, a file each."""
