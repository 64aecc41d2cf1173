"""The audit log: who did what to which request, append-only and hash-chained; no patient value.

`entry.py` is one line of it, `told.py` what a line may say, `log.py` the ledger's table, `check.py`
what finds tampering, `head.py` the signed heads that stand elsewhere. docs/security.md says what
this proves and what it does not.
"""
