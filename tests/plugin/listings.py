"""What the bridge says of pipelines, from real specs."""

from safelight.client.bridge_listing import listing
from safelight.client.restoration import Installed
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.pipelines.osediff_spec import OSEDIFF


def of_two():
    """compact, the default and installed, and osediff, which is not."""
    found = [Installed(COMPACT, True, "", False), Installed(OSEDIFF, False, "pull it", False)]
    return listing(found, [], "compact", "a CPU")
