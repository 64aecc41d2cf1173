"""A Jira and a GitLab for measuring: from memory, with a fixed latency and little work per call.

`python -m tests.fast_trackers --tickets 10000 --latency-ms 20` serves the calls of the
synchronisation in a process of its own. What every answer is made of is learnt at the start from
the sandbox, so that both have the same shapes. `GET /_count` (`?reset=true`) counts calls by kind
on either server, `GET /_state` sums up what is there.
"""
