"""In place of `safelight bridge`: the real one, which writes down when which frame came and went, as JSON lines in the
file that $SAFELIGHT_TEST_TIMES names: seconds, word (a command or an event), bytes of payload.
"""

import json
import os
import sys
import time

from safelight.cli.main import main
from safelight.client import bridge

VARIABLE = "SAFELIGHT_TEST_TIMES"


def run() -> int:
    read, write = bridge.read_frame, bridge.write_frame
    with open(os.environ[VARIABLE], "a", encoding="utf-8") as file:

        def note(word, payload):
            file.write(json.dumps([time.monotonic(), word, len(payload)]) + "\n")
            file.flush()

        def noted_read(reader):
            frame = read(reader)
            if frame is not None:
                note(frame.header.get("command"), frame.payload)
            return frame

        def noted_write(writer, header, payload):
            write(writer, header, payload)
            note(header["event"], payload)

        bridge.read_frame, bridge.write_frame = noted_read, noted_write
        return main(["bridge"])


if __name__ == "__main__":
    sys.exit(run())
