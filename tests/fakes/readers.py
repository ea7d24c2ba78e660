"""A checkpoint store with the tiny tagger and captioners in it."""

import shutil
from pathlib import Path

from safelight.engine.checkpoints import store
from safelight.engine.pipelines.prompt_settings import FLORENCE, LLAVA
from tests.fakes import captioners, tagger


def install_tagger(root: Path, made: Path) -> None:
    ram, dape, lists = tagger.write_converted(made)
    _put(root, "ram", "ram.safetensors", ram)
    _put(root, "dape", "dape.safetensors", dape)
    _put(root, "ram-tags", "", *(lists / name for name in tagger.LISTS))


def install_captioner(root: Path, made: Path, name: str) -> None:
    write = {FLORENCE: captioners.write_florence, LLAVA: captioners.write_llava}[name]
    made.mkdir(parents=True, exist_ok=True)
    files = sorted(write(made).iterdir())
    _put(root, name, "", *(path for path in files if path.name != "generation_config.json"))


def _put(root: Path, name: str, main: str, *files: Path) -> None:
    with store.changing(name, root) as staging:
        content = staging / store.CONTENT_NAME
        for path in files:
            shutil.copyfile(path, content / path.name)
        store.put(staging, store.Record(name, main, "import", store.stored_files(content)), root)
