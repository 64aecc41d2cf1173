"""The GitLab side: API v4, git over HTTP and plain pages."""
