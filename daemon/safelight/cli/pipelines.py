"""`safelight pipelines`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from rich.table import Table

from safelight.cli.console import Console
from safelight.client.restoration import Installed, RestorationClient
from safelight.settings import COMMON, unknown_name
from safelight.spec import SettingSpec


def run(given: argparse.Namespace, console: Console) -> int:
    with RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client:
        found = client.pipelines()
        default = client.default_pipeline()
    if given.pipeline:
        chosen = [p for p in found if p.spec.id == given.pipeline]
        if not chosen:
            raise unknown_name("pipeline", given.pipeline, [p.spec.id for p in found])
        _show_one(chosen[0], console)
    else:
        console.table(_overview(found, default))
        console.say("safelight pipelines ID shows the settings and presets of one")
    for pipeline in found:
        if not given.pipeline or pipeline.spec.id == given.pipeline:
            console.event("pipeline", **_as_json(pipeline, default))
    return 0


def _overview(found: list[Installed], default: str) -> Table:
    table = Table("id", "what it is", "scales", "licence", "state")
    for p in found:
        state = ("loaded" if p.resident else "installed") if p.installed else p.install_hint
        if p.spec.id == default:
            state += ", default"
        table.add_row(
            p.spec.id, p.spec.summary, " ".join(map(str, p.spec.output_scales)), p.spec.licence, state
        )
    return table


def _show_one(pipeline: Installed, console: Console) -> None:
    spec = pipeline.spec
    console.result(f"{spec.id}: {spec.title}. {spec.summary}")
    console.result(f"licence: {spec.licence} ({spec.licence_url})")
    table = Table("setting", "values", "default", "what it does")
    for setting in (*spec.settings, *COMMON):
        table.add_row(setting.name, _values(setting), str(setting.default), setting.help)
    console.table(table)
    presets = Table("preset", "values")
    for name, values in spec.presets.items():
        presets.add_row(name, ", ".join(f"{k}={v}" for k, v in values.items()))
    console.table(presets)


def _values(setting: SettingSpec) -> str:
    if setting.choices:
        return " | ".join(setting.choices)
    if setting.minimum is not None and setting.maximum is not None:
        return f"{setting.minimum:g}..{setting.maximum:g} {setting.unit}".rstrip()
    return setting.type


def _as_json(pipeline: Installed, default: str) -> dict[str, object]:
    spec = pipeline.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "summary": spec.summary,
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        "generative": spec.generative,
        "output_scales": list(spec.output_scales),
        "installed": pipeline.installed,
        "install_hint": pipeline.install_hint,
        "resident": pipeline.resident,
        "default": spec.id == default,
        "settings": [asdict(s) for s in (*spec.settings, *COMMON)],
        "presets": {name: dict(values) for name, values in spec.presets.items()},
    }
