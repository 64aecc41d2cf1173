"""Dashboards as code: declared beside a template's metrics, made for Grafana and for the site."""
