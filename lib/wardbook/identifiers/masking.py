"""Masks identifiers in every log record and every traceback of this process.

Loaded by the command line at its start, so nothing heavy is imported here: the search is loaded
when the first record is written.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

MASK = "[…]"
_Factory = Callable[..., logging.LogRecord]


def install_masking() -> None:
    """Mask what every logger of this process says, and what an uncaught exception prints.

    Called twice, it does nothing the second time.
    """
    made = logging.getLogRecordFactory()
    if not isinstance(made, _MaskingFactory):
        logging.setLogRecordFactory(_MaskingFactory(made))
        sys.excepthook = _print_masked
        threading.excepthook = _print_masked_of_thread


def mask(text: str) -> str:
    """Return a text with every identifier and secret in it replaced by its kind.

    The numbers of stays and patients are those of the default patterns: a log is read before the
    settings are.
    """
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.scanning import scan

    parts, end = [], 0
    for found in scan(text, context=Context()):
        parts += [text[end : found.start], f"[{found.kind}]"]
        end = found.end
    return "".join([*parts, text[end:]]) if parts else text


def mask_safely(text: str) -> str:
    """Mask a text; where the search itself fails, say nothing of it."""
    try:
        return mask(text)
    except Exception:
        return MASK


class _MaskingFactory:
    """Makes records whose text is masked, whichever handler writes them."""

    def __init__(self, made: _Factory) -> None:
        self._made = made

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        record = self._made(*args, **kwargs)
        try:
            said = record.getMessage()
        except Exception:
            said = str(record.msg)  # a wrong format string: logging would print the arguments
        record.msg, record.args = mask_safely(said), None
        if record.exc_info:
            # A formatter writes the text where there is one; without the exception none can be new.
            record.exc_text = mask_safely(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = mask_safely(record.stack_info)
        return record


def _print_masked(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    import traceback

    sys.stderr.write(mask_safely("".join(traceback.format_exception(kind, error, where))))


def _print_masked_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and ended.exc_type is not SystemExit:
        _print_masked(ended.exc_type, ended.exc_value, ended.exc_traceback)
