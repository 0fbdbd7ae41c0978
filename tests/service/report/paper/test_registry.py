import re
from pathlib import Path

import pandas as pd
import pytest
from known_sweep import sources_of, write_known_sweep

from model.topology import MEASURES
from service.report.contents import contents
from service.report.items import Absent, Drawn
from service.report.paper.registry import FIGURES, SHOWN, paper_figures
from service.report.paper.sources import Sources

ROOT = Path(__file__).resolve().parents[4]
NUMBERS = (
    *("1E", "2A", "2C", "2D", "3", "4A", "4B", "5A", "5B", "5C", "6A", "6B", "6C", "6D", "7", "8", "9"),
    *("10", "11", "12"),
)


def test_a_sweep_that_has_everything_yields_every_figure_in_order(sources: Sources) -> None:
    found = list(paper_figures(sources))
    assert [one.title for one in found if isinstance(one, Absent)] == []
    drawn = [one for one in found if isinstance(one, Drawn)]
    assert [one.name for one in drawn] == [f"figure_{number}" for number in NUMBERS]
    for one in drawn:
        assert one.title.startswith(f"Figure {one.name.removeprefix('figure_')}: ")
        assert len(one.data) and one.caption.endswith(".")


def test_a_figure_that_can_not_be_drawn_says_what_it_needs(tmp_path: Path) -> None:
    one = sources_of(write_known_sweep(tmp_path / "known", trials=[(0.1, "free", None)]))
    absent = {a.title.split()[1][:-1]: a.why for a in paper_figures(one) if isinstance(a, Absent)}
    assert tuple(absent) == NUMBERS
    assert all("; it needs " in why for why in absent.values())
    assert absent["5B"].startswith("it was not recorded; it needs `record: {nulls: 50}`, with `clustering`")
    for number in ("6C", "6D", "9"):
        assert absent[number].endswith("it needs `record: {delay_graph: true}`")
    assert "`record: {pruning: true}`" in absent["6A"] and "`record.snapshots`" in absent["1E"]
    assert absent["4B"] == "no networks are kept; it needs networks that are kept (`record.networks`)"


@pytest.mark.parametrize("name", ["finished", "killed"])
def test_sweeps_of_earlier_versions_are_drawn_as_far_as_they_go(name: str) -> None:
    found = {
        one.title: one for one in paper_figures(sources_of(ROOT / "tests/fixtures/recorded_sweeps" / name))
    }
    assert len(found) == len(NUMBERS)
    assert isinstance(found["Figure 4B: Strength by delay"], Drawn)
    early = found["Figure 3: Radius and preferred time"]
    assert isinstance(early, Absent) and "earlier versions" in early.why


def test_no_measure_is_drawn_twice(sources: Sources) -> None:
    items = list(contents(sources.sweep_data, [], pd.DataFrame()))
    others = next(one for one in items if isinstance(one, Drawn) and one.name == "measures")
    assert set(MEASURES) == SHOWN | set(others.data["outcome"]) and not SHOWN & set(others.data["outcome"])


def test_the_docs_list_the_figures() -> None:
    rows = re.findall(r"^\| (\d+[A-E]?) \| `figure_(\w+)` \|", (ROOT / "docs/report.md").read_text(), re.M)
    assert rows == [(one.number, one.number) for one in FIGURES]
