"""The plug-in's modules are found as GIMP's Python finds them: in the plug-in's own folder."""

import sys

from tests.fakes.daemon import ROOT

PLUGIN = ROOT / "plugin_gimp" / "safelight-gimp"
sys.path.insert(0, str(PLUGIN))
