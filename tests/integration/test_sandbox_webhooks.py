"""What the sandbox's webhooks carry: names of the delivery, and signatures that hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import gitlab
import pytest
import requests
from webhook_calls import SIGNING_KEY, SIGNING_SECRET

from tests.contract.world import (
    Receiver,
    gitlab_as,
    jira_as,
    receiving,
    serve_world,
    ticket_fields,
)
from wardbook.sandbox import Sandbox

sandbox = serve_world()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_gitlab_signs_where_the_hook_has_a_signing_token(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    hook = project.hooks.create(
        {"url": receiver[0], "issues_events": True, "signing_token": SIGNING_SECRET}
    )
    assert SIGNING_SECRET not in json.dumps(hook.attributes)
    project.issues.create({"title": "Signée"})
    headers, body = receiver[1].get(timeout=30)
    assert headers["webhook-id"] == headers["Idempotency-Key"]
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(SIGNING_KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert "X-Gitlab-Token" not in headers

    hook.signing_token = None
    hook.save()
    project.issues.create({"title": "Non signée"})
    unsigned, _ = receiver[1].get(timeout=30)
    hook.delete()
    assert not {"webhook-id", "webhook-timestamp", "webhook-signature"} & set(unsigned)
    assert unsigned["Idempotency-Key"] != headers["Idempotency-Key"]
    assert unsigned["X-Gitlab-Event-UUID"] != headers["X-Gitlab-Event-UUID"]


def test_two_hooks_hear_of_one_event_in_two_deliveries(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    hooks = [project.hooks.create({"url": receiver[0], "issues_events": True}) for _ in range(2)]
    project.issues.create({"title": "Deux fois"})
    (one, _), (two, _) = receiver[1].get(timeout=30), receiver[1].get(timeout=30)
    for hook in hooks:
        hook.delete()
    assert one["X-Gitlab-Event-UUID"] == two["X-Gitlab-Event-UUID"]
    assert one["Idempotency-Key"] != two["Idempotency-Key"]


@pytest.mark.parametrize(
    "token",
    ["secret", "whsec_", "whsec_%", "whsec_" + base64.b64encode(b"short").decode(),
     SIGNING_SECRET.removeprefix("whsec_")],
)  # fmt: skip
def test_gitlab_refuses_what_is_no_signing_token(sandbox: Sandbox, token: str) -> None:
    project = gitlab_as(sandbox, "bot").projects.get("uad/site")
    with pytest.raises(gitlab.GitlabCreateError, match="signing_token") as caught:
        project.hooks.create({"url": "http://127.0.0.1:9/", "signing_token": token})
    assert caught.value.response_code == 400


def test_jira_names_each_delivery(sandbox: Sandbox, receiver: Receiver) -> None:
    hook = requests.post(
        f"{sandbox.jira_url}/rest/webhooks/1.0/webhook",
        headers={"Authorization": "Bearer bot-token"},
        json={"name": "w", "url": receiver[0], "events": ["jira:issue_created"]},
        timeout=30,
    ).json()
    for _ in range(2):
        jira_as(sandbox, "bot").create_issue(fields=ticket_fields("nommé"))
    names = {receiver[1].get(timeout=30)[0]["X-Atlassian-Webhook-Identifier"] for _ in range(2)}
    requests.delete(hook["self"], headers={"Authorization": "Bearer bot-token"}, timeout=30)
    assert len(names) == 2
