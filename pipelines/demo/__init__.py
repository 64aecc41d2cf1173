"""The demonstration: the same code as in a hospital, against the embedded Jira and GitLab."""
