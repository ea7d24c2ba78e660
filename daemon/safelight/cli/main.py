# PYTHON_ARGCOMPLETE_OK
"""The command `safelight`. Each command lives in its own module, imported when it is asked for, so that
`safelight --help` and completion stay quick and the client commands never load torch.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import argcomplete

from safelight import __version__
from safelight.cli import arguments
from safelight.cli.console import Console
from safelight.errors import Cancelled, InvalidRequest, LocalError, SafelightError, Unavailable

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_SOME_FAILED, EXIT_NO_DAEMON, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

EXIT_CODES_HELP = """\
exit codes: 0 done; 1 the job failed; 2 bad input; 3 some pictures of several failed;
4 no daemon could be reached; 130 interrupted"""

DESCRIPTION = """\
Restores regions of photographs. The work is done by a daemon on this machine that starts by itself
and keeps its networks loaded; nothing leaves the machine."""

EXAMPLES = """\
examples:
  safelight restore scan.jpg -o better.png                the whole picture, twice as large
  safelight restore scan.tif -o out.tif --region 100,80,512,512
                                                          one region, the rest stays as it is
  safelight restore scans/ -o restored/                   a folder, with its subfolders
  safelight pipelines                                     what can be used, with all settings
  safelight doctor                                        is everything in order?"""

COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], str]] = {
    "restore": ("restore pictures, or a region of one", arguments.restore, "safelight.cli.restore"),
    "verify": ("prove what was done to a picture, and nothing else", arguments.verify, "safelight.cli.verify"),
    "replay": ("run recorded operations again and compare", arguments.replay, "safelight.cli.replay"),
    "report": ("show how far a result went from its input", arguments.report, "safelight.cli.report"),
    "pipelines": ("list the pipelines and their settings", arguments.pipelines, "safelight.cli.pipelines"),
    "tags": ("list what a picture shows", arguments.tags, "safelight.cli.words"),
    "caption": ("say in a sentence what a picture shows", arguments.caption, "safelight.cli.words"),
    "models": ("install, check and remove the weights of pipelines", arguments.models, "safelight.cli.models"),
    "desktop": ("open the desktop app", arguments.desktop, "safelight.cli.desktop"),
    "gimp": ("install the plug-in for GIMP 3", arguments.gimp, "safelight.cli.gimp"),
    "bridge": ("serve the GIMP plug-in, which starts it", arguments.bridge, "safelight.cli.bridge"),
    "ps": ("show what the daemon holds and does", arguments.ps, "safelight.cli.ps"),
    "kept": ("show or remove what the daemon keeps of results", arguments.kept, "safelight.cli.kept"),
    "unload": ("free the memory of pipelines now", arguments.unload, "safelight.cli.unload"),
    "serve": ("run the daemon in this terminal", arguments.serve, "safelight.cli.serve"),
    "stop": ("end the daemon", arguments.stop, "safelight.cli.stop"),
    "doctor": ("check the installation and say how to fix it", arguments.doctor, "safelight.cli.doctor"),
    "compare": ("write two pictures side by side, with a magnified crop", arguments.compare, "safelight.cli.compare"),
    "evaluate": ("measure a pipeline on pairs of pictures", arguments.evaluate, "safelight.cli.evaluate"),
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is a --help away."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_INPUT, f"{self.prog}: {message}; {self.prog} --help explains\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = _Parser(
        prog="safelight",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n\n{EXIT_CODES_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"safelight {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (summary, add_arguments, _) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_arguments(command)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code. Errors become one clear last line on stderr."""
    root = parser()
    argcomplete.autocomplete(root)
    given = root.parse_args(argv)
    console = Console(json_lines=getattr(given, "json", False))
    try:
        command = importlib.import_module(COMMANDS[given.command][2])
        return int(command.run(given, console))
    except SafelightError as error:
        console.error(error)
        return exit_code(error)
    except KeyboardInterrupt:
        console.error(Cancelled("interrupted", "INTERRUPTED"))
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_FAILED  # the reader of our output is gone; nobody is left to tell
    except Exception as error:  # outermost loop: a person gets a sentence, never a traceback
        console.fault(error)
        return EXIT_FAILED


def exit_code(error: SafelightError) -> int:
    if isinstance(error, Unavailable):
        return EXIT_NO_DAEMON
    if isinstance(error, InvalidRequest | LocalError):
        return EXIT_BAD_INPUT
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
