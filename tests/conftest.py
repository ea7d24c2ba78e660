"""For all tests."""

import os

from safelight.cli.serve import THREAD_POLICY

# Before any test imports torch: as in the daemon, threads of a busy machine must not spin for each other.
for name, value in THREAD_POLICY.items():
    os.environ.setdefault(name, value)

from tests.desktop import libraries  # noqa: E402

pytest_plugins = [] if libraries.MISSING else ["pytestqt.plugin"]
