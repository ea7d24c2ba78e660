"""`safelight tags` and `safelight caption`."""

from __future__ import annotations

import argparse

from safelight.cli.console import Console
from safelight.cli.values import region_of
from safelight.client.description import DescriptionClient, seen_rect
from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight.imaging.files import open_picture


def run(given: argparse.Namespace, console: Console) -> int:
    picture = open_picture(given.file)
    whole = Rect.of_size(picture.size)
    region = region_of(given.region, picture.size) if given.region else whole
    seen = region if region == whole else seen_rect(region, picture.size)
    pixels = picture.read()[seen.slices]
    with RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client:
        found = DescriptionClient.of(client).describe(
            pixels,
            given.command,
            icc=picture.icc,
            linear=picture.format.linear,
            captioner=getattr(given, "captioner", ""),
            seed=getattr(given, "seed", 0),
        )
    if given.command == "tags":
        console.result(found.prompt)
        if not found.tags:
            console.say("the tagger is sure of nothing there")
    else:
        console.result(found.caption)
        if found.prompt != found.caption:
            console.say(f"as a prompt: {found.prompt}")
    console.event(
        given.command,
        file=str(given.file),
        region=list(region),
        tags=list(found.tags),
        caption=found.caption,
        prompt=found.prompt,
        read_with=list(found.read_with),
    )
    return 0
