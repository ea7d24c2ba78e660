"""A daemon of fakes whose pipeline `absent` can be installed: its files lie on a hub of the test."""

import sys
from dataclasses import replace

from safelight import runtime
from safelight.engine.checkpoints import catalogue, store
from safelight.engine.pipelines.registry import Registry
from safelight.server.serve import serve
from tests.fakes.daemon import FORGOTTEN_S, MAIN, config, registry

FILE = "shop/goods/absent.bin"
GOODS = bytes(range(256)) * 16384
ENTRY = catalogue.CatalogueEntry(
    "goods",
    "Goods",
    catalogue.Licence("goods", "Licence of the goods", "https://example.org/goods", "For tests alone."),
    (catalogue.CatalogueFile("absent.bin"),),
    (catalogue.Source("hub", "shop/goods"),),
    len(GOODS),
    pipelines=("absent",),
)


def command(hub, folder):
    """Of the daemon; its checkpoints lie below that folder."""
    variables = {**hub.environment, store.CHECKPOINT_DIR_VARIABLE: str(folder / "checkpoints")}
    code = MAIN.replace("tests.fakes.daemon import", "tests.gimp.shop import")
    return [
        "env",
        *(f"{name}={value}" for name, value in variables.items()),
        sys.executable,
        "-c",
        f"{code}))",
    ]


def main():
    """Of the daemon's process."""
    catalogue.ENTRIES = (*catalogue.ENTRIES, ENTRY)
    catalogue._BY_ID[ENTRY.id] = ENTRY
    entries = [
        replace(e, installed=lambda: store.installed_path(ENTRY.id) is not None)
        if e.spec.id == "absent"
        else e
        for e in registry().entries
    ]
    folder = runtime.runtime_dir()
    return serve(config(folder, idle_exit_s=FORGOTTEN_S, kept_folder=folder / "kept"), Registry(entries))
