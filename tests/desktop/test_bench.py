import math

import pytest

from tests.desktop.bench import measured


@pytest.mark.slow
def test_the_bench_gives_finite_figures():
    table = measured(1, sizes=((4400, 2200), (5000, 3000)))
    assert len(table.rows) == 6
    assert all(math.isfinite(cell) for row in table.rows for cell in row[1:])
