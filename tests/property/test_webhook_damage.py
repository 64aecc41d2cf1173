"""A signed webhook that differs in anything from what was signed is not good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from webhook_calls import Call, gitlab_call, gitlab_event, jira_call, jira_event, webhook_settings

from requests_sync.webhooks.judge import Authentic, Keys, Request, Verdict, judge

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEYS = Keys.of(webhook_settings())
CALLS = {"jira": jira_call(jira_event(NOW)), "gitlab": gitlab_call(gitlab_event(), NOW)}
SIGNED_HEADERS = {
    "jira": ["X-Hub-Signature"],
    "gitlab": ["webhook-id", "webhook-timestamp", "webhook-signature", "X-Gitlab-Token"],
}
products = st.sampled_from(sorted(CALLS))
wire_text = st.text(st.characters(max_codepoint=255), max_size=120)


def is_good(call: Call) -> bool:
    return isinstance(judge(call.request, KEYS, NOW), Authentic)


@given(products, st.data())
def test_any_other_body_is_refused(product: str, data: st.DataObject) -> None:
    call = CALLS[product]
    place = data.draw(st.integers(0, len(call.body)))
    end = data.draw(st.integers(place, len(call.body)))
    body = call.body[:place] + data.draw(st.binary(max_size=20)) + call.body[end:]
    assert is_good(replace(call, body=body)) == (body == call.body)


@given(products, st.data())
def test_any_other_signed_header_is_refused(product: str, data: st.DataObject) -> None:
    call = CALLS[product]
    name = data.draw(st.sampled_from(SIGNED_HEADERS[product]))
    right = call.header(name)
    value = data.draw(wire_text | st.sampled_from([right[:-1], right + " ", right.upper()]))
    # Several signatures may stand in one header; one of them being right is enough.
    expected = right in value.split(" ") if name == "webhook-signature" else value == right
    assert is_good(call.with_header(name, value)) == expected


@given(st.text(max_size=10), wire_text, st.lists(st.tuples(wire_text, wire_text)), st.binary())
def test_whatever_comes_gets_a_verdict(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    for path in (target, "/jira", "/gitlab"):
        judged = judge(Request(method, path, headers, body), KEYS, NOW)
        assert isinstance(judged, Verdict)
        assert judged is not Verdict.WOKEN
