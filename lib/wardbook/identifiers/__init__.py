"""Identifiers of patients and secrets: found by content and checksum, told by kind and place."""
