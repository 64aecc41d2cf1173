"""The seal: deliverables encrypted to one person, signed by the unit, provable by a receipt.

Trust hangs on one thing only: full fingerprints that were confirmed by a person (pinned). Names on
keys, short key ids, what else lies in a keyring and gpg's words for humans decide nothing.
"""

from wardbook.seal.directory import ListedKey, Listing, read_directory
from wardbook.seal.facts import KeyFacts, SubkeyFacts
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.keys import Keyring, Recipient, choose_recipient_key
from wardbook.seal.naming import opaque_name
from wardbook.seal.problems import SealProblem
from wardbook.seal.receipt import (
    Approval,
    CheckEvidence,
    Origin,
    Receipt,
    Release,
    RunEvidence,
    SealedTo,
    Source,
    Subject,
    write_receipt,
)
from wardbook.seal.sealing import SealedFile, list_key_ids, open_sealed, seal
from wardbook.seal.verify import Verification, find_receipt, verify

__all__ = [
    "Approval",
    "CheckEvidence",
    "Fingerprint",
    "KeyFacts",
    "Keyring",
    "ListedKey",
    "Listing",
    "Origin",
    "Receipt",
    "Recipient",
    "Release",
    "RunEvidence",
    "SealProblem",
    "SealedFile",
    "SealedTo",
    "Source",
    "Subject",
    "SubkeyFacts",
    "Verification",
    "choose_recipient_key",
    "find_receipt",
    "list_key_ids",
    "opaque_name",
    "open_sealed",
    "read_directory",
    "seal",
    "verify",
    "write_receipt",
]
