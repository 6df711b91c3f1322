"""Progress of a long stage as log lines: questions done, rate, time left."""

import logging
import time

log = logging.getLogger("selfincorrect")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Progress:
    """Logs a line at the first and the last update, and at most every `every` seconds in between."""

    def __init__(self, what: str, total: int, unit: str, every: float = 5.0) -> None:
        self.what, self.total, self.unit, self.every = what, total, unit, every
        self.done = 0
        self._start = time.monotonic()
        self._last = float("-inf")

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if self.done < self.total and now - self._last < self.every:
            return
        self._last = now
        elapsed = max(now - self._start, 1e-9)
        rate = self.done / elapsed
        left = _clock((self.total - self.done) / rate) if rate else "?"
        done = f"{self.done}/{self.total} {self.unit}"
        log.info("%s: %s, %.2f/s, %s elapsed, %s left", self.what, done, rate, _clock(elapsed), left)
