"""The settings file that `wardbook init` writes: every key, with what it means."""

SAMPLE = """\
# Settings of a data-analysis unit. Paths are relative to this file's folder.
# Secrets do not belong here: set WARDBOOK_JIRA_TOKEN and WARDBOOK_GITLAB_TOKEN in the environment,
# or name files of mode 0600 with `token_file`; so for the secrets of webhooks, see there.

# The ledger: SQLite in a file, or PostgreSQL (WARDBOOK_LEDGER_URL where it holds a password).
ledger = "sqlite:///state/ledger.db"

[unit]
name = "Unité d'analyse des données"
data_protection_officers = ["data.protection"]   # accounts in Jira: one signs each research
expiry_notice_days = 30          # a recurring request says so before its legal basis expires
language = "fr"                  # "fr" or "en": what requesters and readers see by default
time_zone = "Europe/Paris"
state = "state"                  # the secure side: runs, keys, ledger; readable by nobody else
# contact = "poste 4242"         # whom requesters ask; by default they comment on their ticket
# templates = "templates"        # your own catalogue; by default the one that comes with Wardbook
# open_to = ["/scratch"]         # folders that every notebook may read and write beside its own

[jira]
url = "https://jira.hospital.example"
project = "DATA"
token_file = "state/jira.token"
# account = "bot@hospital.example"   # only on Jira Cloud: the token's account
overlap_minutes = 10             # searches overlap this much, since Jira's index lags
census_hours = 6                 # every so often all tickets are read
attach_max_bytes = 0             # outputs of the channel `ticket` are attached up to here; 0: none

[jira.fields]                    # ids of the custom fields; `wardbook doctor` lists yours
purpose = "customfield_10101"
legal_basis = "customfield_10102"
reference = "customfield_10103"
expires = "customfield_10104"
approver = "customfield_10105"   # a field for one person, as is `dpo`
template = "customfield_10106"
parameters = "customfield_10107"
language = "customfield_10108"
ethics = "customfield_10109"     # the ethics committee's reference, for research
dpo = "customfield_10110"        # the data-protection officer who signed, for research
recurrence = "customfield_10111" # may be left out: then every request runs once
# colleagues = "customfield_10112"   # a field for several persons, or of accounts with commas

# Where the forms of the site shall open Jira's create screen filled in (docs/form.md).
# [jira.create]
# project_id = 10000
# issue_type_id = 10100
# iso_days = true                # Jira shows days as YYYY-MM-DD
# components = { "Direction médicale" = 10010 }
# [jira.create.options]          # of fields that are lists
# purpose = { "Soins" = 10201, "Recherche" = 10202 }

[jira.workflow]                  # names of your Jira statuses, and of the resolution to set
working = "En cours"
waiting = "En attente du demandeur"
done = "Résolu"
resolution = "Terminé"
todo = "À traiter"               # where a reopened ticket stands
dropped = "Ne sera pas traité"   # resolution of a ticket that the unit closes without an answer

[gitlab]
url = "https://gitlab.hospital.example"
token_file = "state/gitlab.token"
branch = "main"

[gitlab.people]                  # Jira users whose name in GitLab is another one
# "jira.name" = "gitlab.name"

[gitlab.accounts]                # numbers of reviewers' accounts; who takes over a name has another
# "reviewer.one" = 42

# One table for each hospital service, named as its Jira component.
[services."Direction médicale"]
project = "unit/direction-medicale"
approvers = ["head.of.service"]
reviewers = ["reviewer.one", "reviewer.two"]

[people]                         # names of approvers and officers, as refusals show them;
# "account" = "Dr Hélène Bernard"   # needed on Jira Cloud, where an account is a mere id

[attachments]                    # of tickets, copied to the issue
max_bytes = 10_000_000
media_types = ["application/pdf", "application/json", "image/png", "image/jpeg", "text/*"]

[sync]
workers = 4                      # requests brought up to date at a time

# By which rules outputs are judged (docs/disclosure.md). A service or a template may name a policy
# that is stricter; `policies` is a folder of your own, instead of the one that Wardbook brings.
[disclosure]
policy = "fr-hospital"
# policies = "policies"

# Data sources. `kind` is what templates ask for; sensitivity is public, internal or sensitive.
[sources.spf]
kind = "spf-hospital"
path = "data/donnees-hospitalieres-covid19.csv"
sensitivity = "public"
default = true
# Where a file names persons, say in which columns: what leaves is searched for these names.
# [sources.stays]
# kind = "hospital-stays"
# path = "data/stays.csv"
# sensitivity = "sensitive"
# names = { surnames = ["name"], first_names = ["first_name"] }
# A database: any kind of data that has a view is extracted of it (docs/sources.md).
# [sources.warehouse]
# kind = "omop"                  # or i2b2 (vocabularies), or ehop (tables)
# address = "postgresql://wardbook@cdw.hospital.example/omop?schema=cdm"
# password_file = "/run/credentials/wardbook.service/cdw"   # or WARDBOOK_SOURCE_WAREHOUSE_PASSWORD
# minutes = 30                   # what extracting may take
# sensitivity = "sensitive"
# owner = "Département d'information médicale"
# refresh = "2 days"             # how old the newest data may be
# purposes = ["care"]            # by default care and research
# services = ["Direction médicale"]   # who may use it; by default all
# tables = { person = "V_PERSON" }    # the database's own names
# vocabularies = { "LNC:" = "LOINC" } # of i2b2's prefixes

[executor]
kind = "dask"
workers = 2                      # on this machine, unless `address` names a scheduler
# Or Slurm, one job for each run (docs/slurm.md). What is left out is left to Slurm.
# kind = "slurm"
# partition = "short"            # unless the template names one
# account = "unit"
# qos = "normal"
# python = "/opt/wardbook/bin/python"   # on the nodes; by default, where it is here
# conf = "/etc/slurm/slurm.conf" # where Slurm does not find it by itself
# accounting = false             # true: ask sacct for jobs that the controller has forgotten
# largest_array = 500            # at most Slurm's MaxArraySize less one

# Where analysts open requests in JupyterLab (docs/bench.md): `wardbook lab KEY`.
[bench]
folder = "~/wardbook"            # the analyst's own; holds runs and extracts, so on the secure side
port = 8888                      # the first that is tried, on loopback
# address = "http://localhost:8888"   # how a browser reaches one's own bench: issues link to it
twins = "twins"                  # synthetic stand-ins of sources: `wardbook data twin SOURCE`

[site]
folder = "public"
url = "https://unit.pages.hospital.example"
# public_url = "https://unit.example.org"   # of what `wardbook site build --target public` leaves
# page_kb = 150                  # the most of a report's page without its figures
# report_kb = 50000              # and of all its files
# pdf = true                     # each report on paper beside its page; needs Chromium

[share]
folder = "share"
url = "file://server/share"      # how requesters see that folder
# folder_mode = "2750"           # of what is put there; left out: as the system makes it
# file_mode = "0640"
# group = "requesters"
# marker = ".wardbook-share"     # a file in it: without it the share is not mounted, and all waits

[seal]
home = "state/gnupg"             # the unit's GnuPG home, mode 0700
signer = "0000000000000000000000000000000000000000"   # full fingerprint of its signing key

# passphrase_file = "/run/credentials/wardbook.service/seal"   # mode 0600; see docs/sealing.md
# approvers = ["reviewer.one"]   # may confirm people's keys; by default every service's reviewers

[seal.recipients]                # pinned here, digit by digit, they count before those that
                                 # `wardbook keys confirm` writes down
# "username" = "full fingerprint"

[identifiers]                    # docs/identifiers.md
ipp = "8[0-9]{9}"                # how your hospital numbers patients: sets and bounded repeats only
nda = "N[0-9]{9}"                # and stays
shown = []                       # what reports may show: your telephone, your address, your FINESS

# Once a day the head of the audit log is signed and copied to where nobody may write who may write
# the ledger: another machine's disk, a GitLab project with a protected branch (docs/security.md).
[audit]
heads = "audit-heads"
# project = "unit/audit-heads"
every_hours = 24

# `wardbook purge` deletes what is older, once a request is settled; what is left out is kept.
[retention]
evidence_days = 365              # executed notebooks, logs and review pages; editions made again
runs_days = 1095                 # the whole folder of a run; templates that nothing needs any more
texts_days = 1825                # what people wrote on ticket and issue, as copied into the ledger
legal_hold = []                  # requests, as "DATA-12", of which nothing is ever deleted

# Metrics (docs/metrics.md) stand in an SQLite file of `state`, or in PostgreSQL; its address may
# also be in WARDBOOK_METRICS_URL, where it holds a password; the token in WARDBOOK_GRAFANA_TOKEN.
# Without `url` dashboards are written as files and previews on the site, and pushed nowhere.
[grafana]
# database = "postgresql://wardbook_metrics@db.hospital.example/metrics"
# url = "https://grafana.hospital.example"
# token_file = "state/grafana.token"   # of a service account that may edit in this folder
folder = "wardbook"              # uids in Grafana: of the folder of our dashboards
datasource = "wardbook-metrics"  # and of the data source that reads the metrics' database

# `wardbook serve` answers Prometheus here, at /metrics.
# [prometheus]
# host = "127.0.0.1"
# port = 9469

# Requesters are told by mail too that there is an answer, or a refusal (docs/answers.md). The
# password may also be in WARDBOOK_MAIL_PASSWORD.
# [mail]
# host = "smtp.hospital.example"
# port = 587
# security = "starttls"          # "tls" from the first octet; "none" only inside, without account
# sender = "donnees@hospital.example"
# account = "donnees"
# password_file = "state/mail.password"
# ca_file = "hospital-ca.pem"    # where the system does not know the server's authority
# figures = false                # true: the headline figures too; else links only

# Jira and GitLab may wake `wardbook serve`, at /jira and /gitlab; docs/operations.md says how to
# set them up. They are asked every so often with or without this section. The secrets may also be
# in WARDBOOK_JIRA_WEBHOOK_SECRET, WARDBOOK_GITLAB_SIGNING_SECRET, WARDBOOK_GITLAB_WEBHOOK_SECRET.
# [webhooks]
# host = "127.0.0.1"             # the proxy in front passes the calls on
# port = 8089
# max_bytes = 1_048_576          # a longer webhook is turned away
# jira_secret_file = "state/jira-webhook.secret"
# gitlab_signing_secret_file = "state/gitlab-signing.secret"
# gitlab_secret_file = "state/gitlab-webhook.secret"   # where GitLab cannot sign yet

# How outputs are reviewed (docs/review.md). The disclosure policy says what takes two approvals.
[review]
notice_days = 30                 # a standing approval says so before it ends
# evidence_url = "file://server/evidence"   # how reviewers see `runs` of the secure side, if at all

# An approval of a recurring report as it is; everything else waits for a review each time.
# `wardbook approvals --grant DATA-12` prints one to put here. It is named by the request, or by a
# template for all its requests that ask the same.
# [standing_approvals.DATA-12]
# reviewers = ["reviewer.one"]
# until = 2027-06-30
# shape = "…"
# code = "…"
# policy = "…"
# parameters = "…"
# revoked = true                 # ends it at once, and says so
"""
