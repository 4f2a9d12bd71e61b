"""onnxruntime, loaded so that it tells nobody.

Its wheels report sessions, models and machines to their maker, keep a queue of such reports and an identifier of the
machine in the user's cache folder, and ask nobody. One variable, read when the library is loaded, stops all of it
(`ORT_DISABLE_TELEMETRY`); the function of the same purpose stops what is sent later, and does not stop the files.
"""

from __future__ import annotations

import os
from typing import Any

SILENT = {"ORT_DISABLE_TELEMETRY": "1"}
"""Set before `onnxruntime` is imported, whatever the environment says: nothing calls out."""


def runtime() -> Any:
    """The module `onnxruntime`, silent also where somebody else loaded it before."""
    os.environ.update(SILENT)
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
