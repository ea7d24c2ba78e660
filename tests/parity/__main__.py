"""python -m tests.parity DIR: 0 when every case agrees with the authors' code, 1 when one does not, 2 without cases."""

import argparse
import sys
from pathlib import Path

from tests.parity.cases import NotGolden, cases_in, method_of
from tests.parity.compare import Outcome
from tests.parity.runner import run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("folder", type=Path, help="base folder, official checkpoints and cases/*")
    folder = parser.parse_args(arguments).folder
    try:
        cases, method = cases_in(folder), method_of(folder)
    except NotGolden as error:
        print(error, file=sys.stderr)
        return 2
    agreed = checked = 0
    try:
        for name, outcomes in run(folder, method, cases):
            good = bool(outcomes) and all(outcome.passed for outcome in outcomes)
            agreed, checked = agreed + good, checked + 1
            print(f"{method} {name}: {'agrees' if good else 'DIFFERS'}")
            for outcome in outcomes:
                print(f"    {line(outcome)}")
    except Exception as error:  # files that no pipeline can be made of
        print(f"{folder} cannot be run: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"{agreed} of {checked} agree")
    return 0 if agreed == checked else 1


def line(outcome: Outcome) -> str:
    mark = "ok  " if outcome.passed else "FAIL"
    kind = "mean" if "levels" in outcome.note else "relative"
    return f"{mark} {outcome.tensor:<16} max {outcome.max_abs:9.3g}  {kind} {outcome.relative:9.3g}  {outcome.note}"


if __name__ == "__main__":
    sys.exit(main())
