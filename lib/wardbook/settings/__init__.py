"""The unit's settings: `wardbook.toml` plus the environment, read once into a frozen object.

Only secrets come from the environment: WARDBOOK_JIRA_TOKEN, WARDBOOK_GITLAB_TOKEN and
WARDBOOK_GRAFANA_TOKEN (or files of mode 0600 named by `token_file`), those of webhooks and of mail,
and WARDBOOK_LEDGER_URL and WARDBOOK_METRICS_URL where the addresses hold a password. Relative
paths are relative to the file's folder.
"""

from wardbook.settings.bench import BenchSettings
from wardbook.settings.data import IdentifierSettings, NameColumns, SourceSettings
from wardbook.settings.executors import DaskSettings, SlurmSettings
from wardbook.settings.grafana import GrafanaSettings, PrometheusSettings
from wardbook.settings.leaving import (
    AuditSettings,
    DisclosureSettings,
    RetentionSettings,
    ReviewSettings,
    SealSettings,
    ShareSettings,
    SiteSettings,
    StandingApproval,
)
from wardbook.settings.mail import MailSettings
from wardbook.settings.reading import Settings, load_settings
from wardbook.settings.section import TimeZone
from wardbook.settings.trackers import (
    AttachmentSettings,
    GitLabSettings,
    JiraFields,
    JiraSettings,
    JiraWorkflow,
    SyncSettings,
    WebhookSettings,
    decode_signing_secret,
)
from wardbook.settings.unit import ServiceSettings, UnitSettings

__all__ = [
    "AttachmentSettings",
    "AuditSettings",
    "BenchSettings",
    "DaskSettings",
    "DisclosureSettings",
    "GitLabSettings",
    "GrafanaSettings",
    "IdentifierSettings",
    "JiraFields",
    "JiraSettings",
    "JiraWorkflow",
    "MailSettings",
    "NameColumns",
    "PrometheusSettings",
    "RetentionSettings",
    "ReviewSettings",
    "SealSettings",
    "ServiceSettings",
    "Settings",
    "ShareSettings",
    "SiteSettings",
    "SlurmSettings",
    "SourceSettings",
    "StandingApproval",
    "SyncSettings",
    "TimeZone",
    "UnitSettings",
    "WebhookSettings",
    "decode_signing_secret",
    "load_settings",
]
