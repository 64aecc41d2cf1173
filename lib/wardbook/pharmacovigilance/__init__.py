"""Signals of pharmacovigilance: which drugs and events come together more often than by chance."""
