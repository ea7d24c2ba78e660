"""Is the thread of the event loop ever kept from its events?

A timer of the event loop should fire every few milliseconds; what lies between two of its ticks is how long the loop
was blocked. On a busy machine the whole process may be kept from the processor: a process of its own that does nothing
but sleep shows when, and those times are not counted.
"""

import subprocess
import sys
import time

from PySide6.QtCore import QTimer

TICK_MS = 4
SLEEPER = """
import sys, time
last = time.monotonic()
while True:
    time.sleep(0.002)
    now = time.monotonic()
    if now - last > 0.008:
        print(last, now, flush=True)
    last = now
"""


SPIN_S = 0.03


def slowdown():
    """How many times longer work takes now than on an idle machine: others use the processors too. At least 1."""
    started, spent = time.monotonic(), time.thread_time()
    while time.thread_time() - spent < SPIN_S:
        pass
    return max(1.0, (time.monotonic() - started) / SPIN_S)


class Watchdog:
    """Used as a context; `worst_ms` is known after it."""

    def __enter__(self):
        self._sleepers = [
            subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        self.ticks = []
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(lambda: self.ticks.append(time.monotonic()))
        self._timer.start()
        return self

    def __exit__(self, *exception):
        self._timer.stop()
        self.ticks.append(time.monotonic())
        stalls = []
        for sleeper in self._sleepers:
            sleeper.kill()
            out, _ = sleeper.communicate()
            lines = [line.split() for line in out.splitlines()]
            stalls += [(float(line[0]), float(line[1])) for line in lines if len(line) == 2]
        gaps = [
            (later - earlier) - _overlap(earlier, later, stalls)
            for earlier, later in zip(self.ticks, self.ticks[1:], strict=False)
        ]
        self.worst_ms = max(gaps, default=0.0) * 1000


def _overlap(start, end, stalls):
    """How much of a span was lost to the machine: the union of the stalls within it."""
    lost, at = 0.0, start
    for begin, finish in sorted(stalls):
        begin, finish = max(begin, at), min(finish, end)
        if finish > begin:
            lost += finish - begin
            at = finish
    return lost
