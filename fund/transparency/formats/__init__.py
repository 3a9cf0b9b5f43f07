"""Bytes in and out: leaves and their schema, signed notes with their keys, the files of the log, and receipts. Pure."""

from fund.transparency.formats.leaves import (
    LARGEST_INTEGER,
    MOST_BYTES,
    canonical,
    commitment,
    fingerprint,
    moment,
    nfc,
    read,
    record,
)
from fund.transparency.formats.notes import (
    LOG_KEY,
    WITNESS_KEY,
    Checkpoint,
    Note,
    Policy,
    Signer,
    VerifierKey,
    Witness,
    read_checkpoint,
    read_note,
    read_policy,
    receipt,
)
from fund.transparency.formats.schema import COMMITTED, LINE, OF_SEVERAL, reason_not_to_sign, written
from fund.transparency.formats.tiles import bundle, bundle_path, leaves_of, tile_path

__all__ = ["COMMITTED", "LARGEST_INTEGER", "LINE", "LOG_KEY", "MOST_BYTES", "OF_SEVERAL", "WITNESS_KEY", "Checkpoint",
           "Note", "Policy", "Signer", "VerifierKey", "Witness", "bundle", "bundle_path", "canonical", "commitment",
           "fingerprint", "leaves_of", "moment", "nfc", "read", "read_checkpoint", "read_note", "read_policy",
           "reason_not_to_sign", "receipt", "record", "tile_path", "written"]
