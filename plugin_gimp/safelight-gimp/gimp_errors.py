"""What becomes of errors: one sentence for the person, details in GIMP's error console, a status for callers."""

from __future__ import annotations

import datetime
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from errors import SafelightError
from gimp_api import Gimp, GLib, GObject
from sentences import details, sentence
from texts import _

LOG = "safelight-gimp.log"
LOG_BYTES_MOST = 200_000


def outcome(procedure: Gimp.Procedure, run: Callable[[], Any]) -> Gimp.ValueArray:
    """Runs a procedure; what it raises becomes its status. `run` gives the layer to return, or None when a person
    changed their mind."""
    sys.excepthook = _log_exception  # of callbacks: GTK goes on after them
    try:
        layer = run()
    except SafelightError as error:
        if error.reason == "CANCELLED":
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        _tell_details(error)
        status = Gimp.PDBStatusType.EXECUTION_ERROR
        return procedure.new_return_values(status, _gerror(sentence(error)))
    except Exception:
        path = _logged(traceback.format_exc())
        text = _(
            "Something went wrong in Safelight's plug-in that should not: please report what {file} says."
        )
        return procedure.new_return_values(
            Gimp.PDBStatusType.EXECUTION_ERROR, _gerror(text.format(file=path))
        )
    if layer is None:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    values.remove(1)
    values.insert(1, GObject.Value(Gimp.Layer, layer))
    return values


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _logged("".join(traceback.format_exception(kind, error, trace)))


def _gerror(text: str) -> GLib.Error:
    return GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)


def _tell_details(error: SafelightError) -> None:
    """Into the error console, whether it is open or not."""
    text = details(error)
    _logged(text)
    handler = Gimp.message_get_handler()
    Gimp.message_set_handler(Gimp.MessageHandlerType.ERROR_CONSOLE)
    Gimp.message(f"Safelight: {text}")
    Gimp.message_set_handler(handler)


def _logged(text: str) -> Path:
    path = Path(Gimp.directory()) / LOG
    try:
        if path.exists() and path.stat().st_size > LOG_BYTES_MOST:
            path.unlink()
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.datetime.now().isoformat(timespec='seconds')} {text}\n")
    except OSError:
        pass
    return path
