"""How far a long step is, and how long the rest will take: a line now and then, never more than one in ten seconds."""

import sys
import time


class Progress:
    """Counts to `total`; `done` of them were there already, kept by an earlier run."""

    def __init__(self, what: str, total: int, done: int = 0, every_s: float = 10.0) -> None:
        self.what, self.total, self.done, self.kept, self.every_s = what, total, done, done, every_s
        self.started = self.said = time.monotonic()

    def step(self, n: int = 1) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.said >= self.every_s or self.done == self.total:
            self.said = now
            print(self.line(now - self.started), file=sys.stderr, flush=True)

    def line(self, gone_s: float) -> str:
        """What is said after so many seconds."""
        fresh = max(self.done - self.kept, 1)
        left = gone_s / fresh * (self.total - self.done)
        return f"{self.what}: {self.done} of {self.total}, {gone_s:.0f} s gone, {left:.0f} s to go"
