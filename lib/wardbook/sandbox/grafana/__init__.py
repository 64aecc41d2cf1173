"""A Grafana of one's own: the part of its HTTP API by which dashboards and alerts are pushed."""

from wardbook.sandbox.grafana.server import GrafanaSandbox

__all__ = ["GrafanaSandbox"]
