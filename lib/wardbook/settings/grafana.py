"""Where metrics stand, who shows them, and where Prometheus may ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from wardbook.settings.section import Section, Url

DatabaseUrl = Annotated[str, Field(pattern=r"^(sqlite|postgresql)(\+\w+)?://")]
Uid = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class GrafanaSettings(Section):
    """The database of metrics, and the Grafana that shows them where there is one.

    `database` is a file in the unit's `state` unless it says otherwise: see
    `Settings.metrics_database`. `url` is the address of Grafana, `token` that of a service account
    which may write dashboards; `folder` and `datasource` are their uids there.
    """

    database: DatabaseUrl | None = None
    url: Url | None = None
    token: Annotated[SecretStr, Field(min_length=1)] | None = None
    folder: Uid = "wardbook"
    datasource: Uid = "wardbook-metrics"


class PrometheusSettings(Section):
    """Where `wardbook serve` answers Prometheus at `/metrics`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 9469
