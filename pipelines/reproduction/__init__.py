"""An edition made once more from its receipt, and laid beside what was delivered.

What it was made from is found again by what it is (digests), not by where it stood; what cannot be
found is named. The run goes on in a scratch folder of the secure side and nothing leaves it: the
ledger is only read, no channel is touched.
"""
