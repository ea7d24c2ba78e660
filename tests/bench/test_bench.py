"""Every subject of the bench runs at its smallest size."""

import importlib
import math

import pytest

from tests.bench.__main__ import SUBJECTS
from tests.bench.tables import Effort, Table, verdict


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject_gives_tables_of_finite_figures(subject):
    tables = importlib.import_module(f"tests.bench.{subject}").run(Effort(runs=1, tiny=True))
    assert tables
    for table in tables:
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(math.isfinite(cell) for row in table.rows for cell in row if isinstance(cell, float))


def test_a_table_aligns_figures_and_ends_with_its_notes():
    table = Table("title", ("what", "s"), [["a", 1.5], ["longer", 1234.0], ["none", None]], ["a note"])
    assert table.text.splitlines() == [
        "title",
        "------------",
        "what       s",
        "------------",
        "a       1.50",
        "longer  1234",
        "none       -",
        "------------",
        "a note",
    ]


@pytest.mark.parametrize(
    ("value", "bar", "at_least", "expected"),
    [
        (0.4, 0.5, False, "kept"),
        (0.6, 0.5, False, "MISSED"),
        (400, 300, True, "kept"),
        (200, 300, True, "MISSED"),
    ],
)
def test_a_bar_is_kept_or_missed(value, bar, at_least, expected):
    assert verdict(value, bar, at_least=at_least) == expected
