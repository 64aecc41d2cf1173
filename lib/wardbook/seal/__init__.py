"""The seal: deliverables encrypted to one person, signed by the unit, provable by a receipt.

Trust hangs on one thing only: full fingerprints that were confirmed by a person (pinned). Names on
keys, short key ids, what else lies in a keyring and gpg's words for humans decide nothing.
"""

from wardbook.seal.crate import CRATE, write_crate
from wardbook.seal.directory import ListedKey, Listing, read_directory
from wardbook.seal.evidence import (
    Approval,
    CheckEvidence,
    Origin,
    PolicyUsed,
    Previous,
    Release,
    RunEvidence,
    SealedTo,
    Source,
    Subject,
    Use,
)
from wardbook.seal.facts import KeyFacts, SubkeyFacts
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.history import Edition, History, find_newest, trace
from wardbook.seal.keys import Keyring, Recipient, choose_recipient_key
from wardbook.seal.naming import opaque_name
from wardbook.seal.problems import SealProblem
from wardbook.seal.receipt import Receipt, write_receipt
from wardbook.seal.sealing import SealedFile, list_key_ids, open_sealed, seal
from wardbook.seal.verify import Verification, find_receipt, verify

__all__ = [
    "CRATE",
    "Approval",
    "CheckEvidence",
    "Edition",
    "Fingerprint",
    "History",
    "KeyFacts",
    "Keyring",
    "ListedKey",
    "Listing",
    "Origin",
    "PolicyUsed",
    "Previous",
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
    "Use",
    "Verification",
    "choose_recipient_key",
    "find_newest",
    "find_receipt",
    "list_key_ids",
    "opaque_name",
    "open_sealed",
    "read_directory",
    "seal",
    "trace",
    "verify",
    "write_crate",
    "write_receipt",
]
