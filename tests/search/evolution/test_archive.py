"""Cells, elites and statistics against `GridArchive` of pyribs, on seeded random results."""

import math

import numpy as np
import pytest
from ribs.archives import GridArchive

from search.evolution.archive import Entry, cell_of, elites, statistics
from search.evolution.options import ArchiveOptions

OPTIONS = ArchiveOptions({"modularity": [0.0, 0.6], "wiring_length": [-20.0, 300.0]}, [8, 5], offset=-2.0)


def archive_of(entries: list[Entry], options: ArchiveOptions) -> GridArchive:
    archive = GridArchive(
        solution_dim=1,
        dims=options.cells,
        ranges=[(low, high) for low, high in options.measures.values()],
        qd_score_offset=options.offset,
    )
    for one in entries:
        archive.add_single([one.trial], one.objective, one.measures)
    return archive


def drawn(seed: int, count: int) -> list[Entry]:
    """Results in and out of the ranges, many on borders of cells, with ties."""
    rng = np.random.default_rng(seed)
    found = []
    for trial in range(count):
        measures = rng.uniform([-0.2, -100], [0.8, 400])
        if rng.random() < 0.3:
            measures = np.array([rng.integers(-1, 10) * 0.6 / 8, -20 + rng.integers(-1, 7) * 320 / 5])
        found.append(Entry(trial, round(float(rng.normal()), 1), (float(measures[0]), float(measures[1]))))
    return found


@pytest.mark.parametrize("count", [1, 10, 60, 500])
@pytest.mark.parametrize("seed", range(5))
def test_elites_and_statistics_are_those_of_pyribs(seed: int, count: int) -> None:
    entries = drawn(seed, count)
    reference = archive_of(entries, OPTIONS)
    found = elites(entries, OPTIONS)
    theirs = reference.data(return_type="dict")
    order = np.argsort(theirs["index"])
    indices = [cell[0] * OPTIONS.cells[1] + cell[1] for cell in found]
    assert indices == theirs["index"][order].tolist()
    assert [one.trial for one in found.values()] == theirs["solution"][order, 0].tolist()
    ours = statistics(found, OPTIONS)
    for name, value in vars(ours).items():
        assert value == pytest.approx(float(getattr(reference.stats, name)), rel=1e-12), name


def test_the_order_of_results_does_not_matter() -> None:
    entries = drawn(7, 300)
    rng = np.random.default_rng(0)
    for _ in range(5):
        mixed = [entries[n] for n in rng.permutation(len(entries))]
        assert list(elites(mixed, OPTIONS).items()) == list(elites(entries, OPTIONS).items())


def test_borders_are_those_of_pyribs() -> None:
    reference = archive_of([], OPTIONS)
    for i in range(-1, 10):
        for j in range(-1, 7):
            measures = (i * 0.6 / 8, -20 + j * 320 / 5)
            cell = cell_of(measures, OPTIONS)
            assert cell is not None
            assert cell[0] * OPTIONS.cells[1] + cell[1] == reference.index_of_single(measures)


def test_what_is_no_number_is_no_elite() -> None:
    odd = [
        Entry(0, math.nan, (0.1, 10.0)),
        Entry(1, math.inf, (0.1, 10.0)),
        Entry(2, 1.0, (math.nan, 10.0)),
        Entry(3, 1.0, (0.1, -math.inf)),
    ]
    assert elites(odd, OPTIONS) == {}
    assert [one.trial for one in elites([*odd, Entry(4, -5.0, (0.1, 10.0))], OPTIONS).values()] == [4]
    assert cell_of((1e300, -1e300), OPTIONS) == (7, 0)


def test_an_empty_archive_has_no_objectives() -> None:
    empty, reference = statistics({}, OPTIONS), archive_of([], OPTIONS).stats
    assert (empty.num_elites, empty.coverage, empty.qd_score, empty.norm_qd_score) == (0, 0.0, 0.0, 0.0)
    assert math.isnan(empty.obj_max) and math.isnan(empty.obj_mean)
    assert reference.obj_max is None and reference.obj_mean is None


def test_a_range_must_go_up() -> None:
    with pytest.raises(ValueError, match=r"the range of `rate` is \[3, 3\]; give the lesser end first"):
        ArchiveOptions({"rate": [3.0, 3.0], "loss": [0.0, 1.0]})
