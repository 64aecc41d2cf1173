"""The one place that talks to Grafana, by grafana-client.

Every call has a time limit, none is repeated here, and each failure becomes a fault in our words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote

from wardbook.errors import ForeignFault

OLDEST = 10
"""The first version with the data source, the folders and the alert rules that we write."""
_TIMEOUT = (5.0, 30.0)
Json = dict[str, Any]


class SavedMeanwhile(ForeignFault):
    """Somebody saved the dashboard between our look at it and our save."""


class GrafanaPort:
    """What the platform asks of Grafana.

    Args:
        url: its address.
        token: of a service account that may write dashboards and alert rules in the folder.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    @cached_property
    def _client(self) -> Any:
        from grafana_client import GrafanaApi

        # The client puts `api` right behind the path.
        return GrafanaApi.from_url(f"{self._url}/", credential=self._token, timeout=_TIMEOUT)

    def check(self, datasource: str) -> None:
        """Make sure that Grafana is there, new enough, takes us, and has the data source.

        Raises:
            ForeignFault: one of them does not hold.
        """
        with self._translated("ask its version"):
            version = str(self._client.health.check()["version"])
        if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < OLDEST:
            raise ForeignFault(
                f"Grafana at {self._url} is version {version}, too old for our dashboards: "
                f"it takes {OLDEST}.0 or later. Have it updated, or load the files that "
                "`wardbook dashboards build` writes into a newer one."
            )
        with self._translated("look for the data source"):
            found = self._found(lambda: self._client.datasource.get_datasource_by_uid(datasource))
        if found is None:
            raise ForeignFault(
                f"Grafana at {self._url} has no data source with the uid {datasource!r}. Provision "
                "datasources/wardbook.yaml of `wardbook dashboards build` there, or name another "
                "in `datasource` under [grafana]."
            )

    def ensure_folder(self, uid: str, title: str) -> bool:
        """Make the folder if it is not there; returns whether it was made."""
        with self._translated("look for the folder"):
            if self._found(lambda: self._client.folder.get_folder(quote(uid))) is not None:
                return False
        with self._translated("make the folder"):
            self._client.folder.create_folder(title, uid)
        return True

    def find_dashboard(self, uid: str) -> Json | None:
        """Return a dashboard as Grafana has it (`dashboard`, `meta`), or None."""
        with self._translated("read a dashboard"):
            return self._found(lambda: self._client.dashboard.get_dashboard(quote(uid)))

    def save_dashboard(self, dashboard: Mapping[str, Any], folder: str, message: str) -> None:
        """Save a dashboard over the version that it names, or as a new one.

        Raises:
            SavedMeanwhile: it is not that version any more.
            ForeignFault: Grafana refused or could not be reached.
        """
        with self._translated("save a dashboard"):
            self._client.dashboard.update_dashboard(
                {
                    "dashboard": dict(dashboard),
                    "folderUid": folder,
                    "message": message,
                    "overwrite": False,
                }
            )

    def find_dashboards(self, tag: str) -> list[Json]:
        """Return the hits of a search for a tag: each with `uid`, `title`, `folderUid`."""
        with self._translated("search dashboards"):
            return list(self._client.search.search_dashboards(tag=quote(tag), type_="dash-db"))

    def find_rules(self, folder: str, group: str) -> list[Json]:
        """Return the alert rules of a group."""
        with self._translated("read the alert rules"):
            rules = self._client.alertingprovisioning.get_alertrules_all()
        return [one for one in rules if (one["folderUID"], one["ruleGroup"]) == (folder, group)]

    def find_rule(self, uid: str) -> Json | None:
        """Return an alert rule wherever it is, or None."""
        with self._translated("read an alert rule"):
            rules = self._client.alertingprovisioning
            return self._found(lambda: rules.get_alertrule(quote(uid)))

    def make_rule(self, rule: Mapping[str, Any]) -> None:
        """Make an alert rule."""
        with self._translated("make an alert rule"):
            self._client.alertingprovisioning.create_alertrule(dict(rule))

    def replace_rule(self, rule: Mapping[str, Any]) -> None:
        """Replace the alert rule with the same uid."""
        with self._translated("replace an alert rule"):
            self._client.alertingprovisioning.update_alertrule(quote(rule["uid"]), dict(rule))

    def delete_rule(self, uid: str) -> None:
        """Delete an alert rule."""
        with self._translated("delete an alert rule"):
            self._client.alertingprovisioning.delete_alertrule(quote(uid))

    def _found(self, ask: Any) -> Json | None:
        from grafana_client.client import GrafanaClientError

        try:
            answer: Json = ask()
        except GrafanaClientError as error:
            if error.status_code == 404:
                return None
            raise
        return answer

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        from grafana_client.client import GrafanaException
        from requests.exceptions import JSONDecodeError, RequestException

        try:
            yield
        except GrafanaException as error:
            raise self._fault(doing, error.status_code, error.response) from None
        except JSONDecodeError:
            raise ForeignFault(
                f"{self._url} did not answer as Grafana does when asked to {doing}. "
                "Check `url` under [grafana]: a proxy or a sign-in page may stand before it."
            ) from None
        except RequestException as error:
            raise ForeignFault(
                f"Grafana at {self._url} could not be reached to {doing} "
                f"({type(error).__name__}). Check that it runs and `url` under [grafana]."
            ) from None

    def _fault(self, doing: str, status: int, response: object) -> ForeignFault:
        if status in (401, 403):
            right = "does not know our token" if status == 401 else "does not let our account do it"
            return ForeignFault(
                f"Grafana at {self._url} {right} (to {doing}). The token under [grafana] is that "
                "of a service account with the role Editor, or with the rights to write dashboards "
                "and alert rules in our folder.",
                status,
            )
        said = response.get("message", "") if isinstance(response, dict) else ""
        if status == 412:
            return SavedMeanwhile(
                f"Grafana at {self._url} refused to {doing}: {said or 'changed meanwhile'}. "
                "Push again.",
                status,
            )
        told = f": {said}" if said else ""
        return ForeignFault(
            f"Grafana at {self._url} failed to {doing} (HTTP {status}{told}). "
            "Its log says why; push again when it is mended.",
            status,
        )
