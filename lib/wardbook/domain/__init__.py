"""The words of the platform as frozen values: tickets, requests, states, runs, outputs, checks."""
