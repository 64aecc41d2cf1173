"""Wardbook's library: what templates and notebooks import, and what the platform is built on."""
