"""In place of `safelight bridge`: the real one, or one with a fault. What it is stands in the file that
$SAFELIGHT_TEST_BRIDGE names, so that a test can change it while GIMP is open.

    real           the real bridge
    newer, older   the real one, of another protocol version
    ends           a program that says something and ends
    no-daemon      the real one, whose daemon cannot start
"""

import os
import sys
from pathlib import Path

from safelight import runtime
from safelight.cli.main import main
from safelight.client import bridge

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
    return main(["bridge"])


if __name__ == "__main__":
    sys.exit(run())
