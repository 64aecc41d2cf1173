"""The Jira side: REST v2 and plain pages."""
