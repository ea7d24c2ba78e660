"""In place of `safelight bridge`: the real one, or one with a fault. What it is stands in the file that
$SAFELIGHT_TEST_BRIDGE names, so that a test can change it while GIMP is open.

    real           the real bridge
    newer, older   the real one, of another protocol version
    ends           a program that says something and ends
    no-daemon      the real one, which cannot have a runtime folder
    bad-daemon     the real one, whose daemon ends while it starts
    old-daemon     the real one, for which the daemon that runs is too old
"""

import os
import sys
from pathlib import Path

from safelight import runtime, wire
from safelight.cli.main import main
from safelight.client import bridge, connection

VARIABLE = "SAFELIGHT_TEST_BRIDGE"


def run() -> int:
    file = Path(os.environ[VARIABLE])
    kind = file.read_text()
    if kind == "ends":
        sys.stderr.write("there is nothing here\n")
        return 3
    if kind in ("newer", "older"):
        bridge.PROTOCOL += 1 if kind == "newer" else -1
    if kind == "no-daemon":
        open_to_all = file.with_name("open-to-all")
        open_to_all.mkdir(exist_ok=True)
        open_to_all.chmod(0o777)
        os.environ[runtime.RUNTIME_DIR_VARIABLE] = str(open_to_all)
    if kind == "bad-daemon":
        os.environ[runtime.RUNTIME_DIR_VARIABLE] = str(file.with_name("without"))
        connection.auto_command = lambda: [sys.executable, "-c", "raise SystemExit('there is no torch')"]
    if kind == "old-daemon":
        wire.PROTOCOL_VERSION += 1
        connection._of_another_build = lambda info: False
    return main(["bridge"])


if __name__ == "__main__":
    sys.exit(run())
