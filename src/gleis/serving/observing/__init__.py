"""What Prometheus, Alertmanager and Grafana are set up with to watch a service."""
