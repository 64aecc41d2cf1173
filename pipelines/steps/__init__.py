"""The steps of a request's way, one module each. Each ends in one move of the ledger."""
