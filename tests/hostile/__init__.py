"""Hostile tickets against every place that their text reaches: what runs is counted."""
