"""Layers in a sweep file: set, searched, written back and refused."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from search.domains import Choice, Value
from service.config.load import load
from service.config.sweep import SweepSpec, dump, learner_for
from service.errors import UserError
from service.record.schema import searched_columns, values_of


def read(folder: Path, text: str, *options: str) -> SweepSpec:
    path = folder / "sweep.yaml"
    path.write_text("name: a\ndata: {name: digits}\n" + text)
    return load(path, options)


def test_layers_are_set_and_written_back(tmp_path: Path) -> None:
    spec = read(tmp_path, "learner: {hidden: [64, 32], readout_from: all}\n")
    assert spec.learner.hidden == (64, 32) and spec.fixed["learner.hidden"] == "64-32"
    assert spec.resolved()["learner"]["hidden"] == [64, 32]
    written = tmp_path / "resolved.yaml"
    written.write_text(dump(spec))
    assert load(written) == spec and load(written).hash == spec.hash
    assert read(tmp_path, "learner: {hidden: 8}\n", "learner.hidden=[16, 8]").learner.hidden == (16, 8)
    assert read(tmp_path, "learner: {hidden: [8]}\n").hash == read(tmp_path, "learner: {hidden: 8}\n").hash


def test_layers_are_options_of_a_choice(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "space:\n"
        "  learner.hidden: {choice: [64, [64, 32]]}\n"
        "  learner.recurrent: {choice: [true, false], when: {learner.hidden: [[64, 32]]}}\n",
    )
    assert spec.space.domain("learner.hidden") == Choice(("64", "64-32"))
    assert learner_for(spec, {"learner.hidden": "64-32"}).hidden == (64, 32)
    assert learner_for(spec, {"learner.hidden": "64"}).hidden == 64
    active: dict[str, Value] = {"learner.hidden": "64-32", "learner.recurrent": False}
    assert spec.space.fits(active) and not spec.space.fits(active | {"learner.hidden": "64"})
    columns = searched_columns(spec.space)
    assert columns["hidden"] == pa.string()
    row = json.loads(json.dumps({"hidden": "64-32", "recurrent": False}))
    assert values_of(row, spec.space) == active
    written = tmp_path / "resolved.yaml"
    written.write_text(dump(spec))
    assert load(written) == spec


def test_a_condition_may_be_on_layers_that_are_set(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "learner: {hidden: [64, 32]}\n"
        "space: {learner.dt: {uniform: [1, 2], when: {learner.hidden: [[64, 32], [8, 8]]}}}\n",
    )
    assert spec.space.given(spec.fixed).paths == ("learner.dt",)
    assert spec.space.given(spec.fixed).fields[0].when == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "learner: {hidden: [64, 0]}",
            r"sweep.yaml:3: learner.hidden: got \[64, 0\], expected a whole number",
        ),
        (
            "learner: {hidden: []}",
            r"3: learner.hidden: got \[\], expected a whole number of at least 1, or",
        ),
        ("learner: {hidden: [8, 8], feedforward: false}", "`feedforward`: false leaves layers apart"),
        ("learner: {inputs_to: second}", "learner.inputs_to: got 'second', expected one of first, all"),
        ("learner: {readout_from: 1}", "learner.readout_from: got 1, expected one of last, all"),
        ("learner: {recurrent: 1}", "learner.recurrent: got 1, expected true or false"),
        ("space: {learner.hidden: {choice: [[8], [8, 0]]}}", r"got \[8, 0\], expected a whole number"),
        ("space: {learner.hidden: {int: [[8], [16]]}}", r"got \[8\], expected a finite number"),
        ("space: {learner.hidden: {uniform: [8, 16]}}", "`hidden` is a whole number; use int"),
        ("space: {learner.hidden: {choice: [[8], 8]}}", "got '8' more than once"),
    ],
)
def test_what_is_no_layer_is_told(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        read(tmp_path, text + "\n")
