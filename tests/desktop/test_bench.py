import re
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_bench_gives_a_best_and_a_median_of_everything():
    command = [sys.executable, "-m", "tests.desktop.bench", "1", "--tiny"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = re.findall(r"^\S.*?  +([\d.]+) +([\d.]+)$", said, re.MULTILINE)
    assert len(figures) == 6
    assert all(0 < float(best) <= float(median) for best, median in figures)
