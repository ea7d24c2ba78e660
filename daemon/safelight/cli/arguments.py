"""What each command takes. Imports nothing heavy: completion runs through here at every Tab."""

from __future__ import annotations

import argparse

from safelight.settings import COMMON_PRESETS, KEEP_ALIVE_S

REGION_HELP = "the box to restore, in pixels of the upright picture: left,top,width,height"


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout, for programs")


def restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IN", help="a picture, several, or a folder")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT",
        help="the picture to write; with several inputs or a folder, the folder to write into",
    )  # fmt: skip
    parser.add_argument("--pipeline", metavar="ID", help="how to restore; safelight pipelines lists them")
    presets = ", ".join(COMMON_PRESETS)
    parser.add_argument(
        "--preset", metavar="NAME", help=f"a named set of values: {presets}, or the pipeline's own"
    )
    parser.add_argument(
        "--scale", type=int, metavar="N",
        help="output scale 1, 2 or 4 (default: 1 with --region or --mask, else 2)",
    )  # fmt: skip
    parser.add_argument("--region", metavar="X,Y,W,H", help=REGION_HELP)
    parser.add_argument(
        "--mask", metavar="FILE", help="an 8-bit grey picture of the input's size, 255 = restore, 0 = leave"
    )
    parser.add_argument(
        "--strength", metavar="0..1", help="how much of the restoration is applied (default 1)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="values",
        help="any other setting; safelight pipelines ID lists them; may be given several times",
    )  # fmt: skip
    parser.add_argument("--seed", metavar="N", help="seed of all noise (default 42)")
    parser.add_argument(
        "--metadata", choices=("keep", "no-location", "none"), default="keep",
        help="what to keep of the picture's own metadata (default keep)",
    )  # fmt: skip
    parser.add_argument(
        "--no-record", action="store_true", help="do not write into the file what was restored and how"
    )
    parser.add_argument("--force", action="store_true", help="replace an output that exists")
    _json(parser)


def tags(parser: argparse.ArgumentParser) -> None:
    _looked_at(parser)
    parser.epilog = "needs the tagger: safelight models pull ram dape ram-tags"


def caption(parser: argparse.ArgumentParser) -> None:
    _looked_at(parser)
    parser.add_argument(
        "--captioner", default="", metavar="ID", help="llava-v1.5-13b or florence-2-base (default: auto)"
    )
    parser.add_argument(
        "--seed", type=int, default=42, help="of captions that are drawn (default: %(default)s)"
    )
    parser.epilog = "needs a captioner: safelight models pull florence-2-base"


def _looked_at(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a picture")
    parser.add_argument(
        "--region", metavar="X,Y,W,H", help="this part, with its surroundings (default: all of it)"
    )
    _json(parser)


def verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT", help="a file that Safelight restored")
    parser.add_argument("original", metavar="ORIGINAL", help="the picture it was restored from")
    parser.add_argument("--report", metavar="HTML", help="also write one page with pictures, for people")
    parser.add_argument(
        "--no-replay",
        action="store_true",
        help="compare the files only: no pipeline runs, no daemon is needed",
    )
    _replayed_masks(parser)
    _json(parser)


def replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT", help="a file that Safelight restored")
    parser.add_argument("--input", required=True, metavar="ORIGINAL", help="the picture it was restored from")
    parser.add_argument("-o", "--output", metavar="OUT", help="write what the replay gives")
    parser.add_argument("--force", action="store_true", help="replace an output that exists")
    _replayed_masks(parser)
    _json(parser)


def report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT", help="a restored picture")
    parser.add_argument("original", metavar="ORIGINAL", help="the picture it was restored from")
    parser.add_argument(
        "-o", "--output", metavar="DIR", help="folder for the maps and the sheet (default: here)"
    )
    parser.add_argument(
        "--region", metavar="X,Y,W,H",
        help="the part of the original to look at (default: what the result's record names, else all)",
    )  # fmt: skip
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--seeds", type=int, metavar="N", help="also the spread of N runs with other seeds")
    others.add_argument(
        "--pipelines", metavar="ID,ID", help="also the spread of the result and of these pipelines' results"
    )
    others.add_argument(
        "--with", action="append", default=[], metavar="FILE", dest="others",
        help="also the spread of the result and of this other result; may be given several times",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    _json(parser)


def _replayed_masks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mask", action="append", default=[], metavar="N=FILE",
        help="the mask of operation N, where it was too detailed for the record; may be given several times",
    )  # fmt: skip


def pipelines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", nargs="?", metavar="ID", help="show all settings of one")
    _json(parser)


def models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, help="what to do")
    action = actions.add_parser("list", help="what there is, what is installed, and its licence")
    _json(action)
    action = actions.add_parser("pull", help="download and install; goes on where it was broken off")
    action.add_argument("ids", nargs="+", metavar="ID", help="as safelight models list shows them")
    _licence(action)
    _json(action)
    action = actions.add_parser(
        "import", help="install a file or folder that you have, on the daemon's machine"
    )
    action.add_argument("id", metavar="ID", help="what it is, as safelight models list shows it")
    action.add_argument("path", metavar="PATH", help="the authors' file, or a base's folder; it is copied")
    _licence(action)
    _json(action)
    action = actions.add_parser("verify", help="hash installed files again")
    action.add_argument("id", nargs="?", metavar="ID", help="one of them (default: all)")
    _json(action)
    action = actions.add_parser("remove", help="delete an installed one")
    action.add_argument("id", metavar="ID", help="as safelight models list shows it")
    _json(action)


def _licence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accept-licence", action="store_true", help="you have read its licence and accept it"
    )


def bridge(parser: argparse.ArgumentParser) -> None:
    """Takes nothing: what it is told comes in frames."""


def ps(parser: argparse.ArgumentParser) -> None:
    _json(parser)


def kept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="remove all of it from the disk")
    _json(parser)


def unload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", nargs="?", metavar="ID", help="one of them (default: all)")
    _json(parser)


def serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="",
        help="serve on this loopback address instead of a Unix socket; others need --tls-*",
    )
    parser.add_argument("--port", type=int, default=0, help="with --host; 0 chooses a free one (default)")
    parser.add_argument("--tls-certificate", metavar="PEM", help="to serve beyond this machine: certificate")
    parser.add_argument("--tls-key", metavar="PEM", help="... its key")
    parser.add_argument(
        "--tls-client-ca", metavar="PEM", help="... and the authority of the clients' certificates"
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--keep-alive", type=float, default=KEEP_ALIVE_S, metavar="S",
        help=f"seconds a pipeline stays loaded after its last job (default {KEEP_ALIVE_S:.0f}; negative: for ever)",
    )  # fmt: skip
    parser.add_argument(
        "--idle-exit", type=float, metavar="S", help="end after so many seconds without a call"
    )
    parser.add_argument("--reflection", action="store_true", help="gRPC server reflection, for developers")


def stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grace", type=float, default=10.0, metavar="S", help="seconds running jobs get (default 10)"
    )
    parser.add_argument("--force", action="store_true", help="kill it when it does not answer")
    _json(parser)


def doctor(parser: argparse.ArgumentParser) -> None:
    _json(parser)


def gimp(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, help="what to do")
    action = actions.add_parser("install", help="put the plug-in into every GIMP 3 of yours, or renew it")
    instead = action.add_mutually_exclusive_group()
    instead.add_argument("--uninstall", action="store_true", help="take it away instead")
    instead.add_argument("--check", action="store_true", help="look whether it is there and works")
    action.add_argument("--dry-run", action="store_true", help="only say what would be done")
    action.add_argument(
        "--folder", metavar="DIR", help="GIMP's folder of settings, when it is not in its usual place"
    )
    _json(action)


def desktop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="pictures to open")


def compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="A", help="a picture")
    parser.add_argument("after", metavar="B", help="another; sizes may differ")
    parser.add_argument("-o", "--output", required=True, metavar="SHEET", help="the picture to write")
    parser.add_argument(
        "--crop", metavar="X,Y,W,H", help="what to magnify, in pixels of B (default: where they differ most)"
    )
    _json(parser)


def evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lr", required=True, metavar="DIR", help="folder of pictures to restore")
    parser.add_argument("--hr", metavar="DIR", help="folder of references with the same names")
    parser.add_argument(
        "--against",
        metavar="DIR",
        help="folder of the authors' results with the same names, to compare ours with",
    )
    parser.add_argument(
        "--metrics", choices=("own", "paper"), default="own",
        help="own: PSNR, SSIM, GMSD (default); paper: also LPIPS, DISTS, NIQE, MUSIQ, MANIQA, CLIPIQA and FID, by "
        "pyiqa with weights that you have",
    )  # fmt: skip
    parser.add_argument("--pipeline", metavar="ID", default="compact", help="default compact")
    parser.add_argument("--preset", metavar="NAME", help="a named set of values")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="values", help="any setting"
    )
    parser.add_argument("--seed", metavar="N", help="seed of all noise (default 42)")
    _json(parser)
