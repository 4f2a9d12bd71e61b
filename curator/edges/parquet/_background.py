"""A thread that writes while others compute."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

_QUEUE = 8


class Background:
    """A thread that works through a bounded queue; its first fault is raised where the queue is fed."""

    def __init__(self, work: Callable[[Any], None]) -> None:
        self._work = work
        self._items: queue.Queue[Any] = queue.Queue(_QUEUE)
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def put(self, item: Any) -> None:
        """Hand an item over, waiting while the queue is full."""
        self.raise_fault()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._items.put(item)

    def stop(self) -> None:
        """Let the thread finish what it has."""
        if self._thread is not None:
            self._items.put(None)
            self._thread.join()
            self._thread = None

    def raise_fault(self) -> None:
        """Raise what the thread met, once."""
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def _run(self) -> None:
        for item in iter(self._items.get, None):
            if self._fault is None:
                try:
                    self._work(item)
                except BaseException as fault:  # noqa: BLE001 (raised where the queue is fed)
                    self._fault = fault
