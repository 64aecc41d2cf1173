"""Webhooks of Jira and GitLab. They carry no truth: a good one wakes the loop, which reads by API.

`judge` decides about one request, `memory` knows the repeated ones, `receiver` listens.
"""
