"""Jira and GitLab: read tickets, gate them, keep both sides true."""
