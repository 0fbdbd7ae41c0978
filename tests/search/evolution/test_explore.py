"""How children differ from their parents."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import Choice, Field, Int, Log, Space, Uniform, Value
from search.evolution.explore import DIMENSIONS, HIDDEN, Structure, explore, perturbed
from search.evolution.options import EvolutionOptions, ExploreOptions, MoveOptions

SPACE = Space(
    [
        Field("learner.wiring_cost", Log(1e-3, 1.0)),
        Field(DIMENSIONS, Choice((1, 2, 3))),
        Field("learner.batch_size", Int(8, 64)),
    ]
)
VALUES: dict[str, Value] = {"learner.wiring_cost": 0.1, DIMENSIONS: 2, "learner.batch_size": 16}
STRUCTURE = {DIMENSIONS: 2, HIDDEN: 40}
SETTABLE = ("learner.wiring_cost", "learner.batch_size")


def moving(**moves: float) -> EvolutionOptions:
    return EvolutionOptions(moves=MoveOptions(**moves))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(0, 2**32), st.floats(1.01, 9), st.floats(0, 1))
def test_children_stay_in_the_domain_and_differ(seed: int, factor: float, resample: float) -> None:
    options = EvolutionOptions(explore=ExploreOptions(factor, resample))
    draw, values = rng(seed), dict(VALUES)
    for _ in range(5):
        change = explore(SPACE, values, STRUCTURE, options, SETTABLE, draw)
        assert SPACE.fits(change.values) and change.values != values
        assert change.values[DIMENSIONS] == 2 and change.structure == {HIDDEN: 40}
        assert change.steps[0]["name"] == "set"
        for name, value in change.steps[0]["values"].items():
            assert change.values[f"learner.{name}"] == value != values[f"learner.{name}"]
        values = change.values


def test_a_factor_is_a_factor() -> None:
    assert {perturbed(Log(1e-3, 1.0), 0.25, 2.0, rng(seed)) for seed in range(20)} == {0.125, 0.5}
    assert {perturbed(Log(1e-3, 1.0), 1.0, 2.0, rng(seed)) for seed in range(20)} == {0.5}
    assert {perturbed(Uniform(-4.0, 4.0), 0.0, 1.25, rng(seed)) for seed in range(20)} == {-2.0, 2.0}
    assert {perturbed(Uniform(-4.0, 4.0), -1.0, 2.0, rng(seed)) for seed in range(20)} == {-2.0, -0.5}


def test_whole_numbers_move_by_one_at_least_and_choices_to_another() -> None:
    assert {perturbed(Int(1, 9), 2, 1.2, rng(seed)) for seed in range(20)} == {1, 3}
    assert {perturbed(Int(1, 9), 9, 1.2, rng(seed)) for seed in range(20)} == {7}
    assert {perturbed(Choice(("a", "b", "c")), "a", 1.2, rng(seed)) for seed in range(30)} == {"b", "c"}
    assert perturbed(Choice(("a",)), "a", 1.2, rng()) == "a"


def test_moves_come_with_their_probabilities() -> None:
    options, draw = moving(dimension_up=0.2, dimension_down=0.1, split=0.3, remove=0.1), rng()
    found = Counter(explore(SPACE, VALUES, STRUCTURE, options, SETTABLE, draw).move for _ in range(2000))
    for move, share in {"dimension_up": 0.2, "dimension_down": 0.1, "split": 0.3, "remove": 0.1}.items():
        assert found[move] / 2000 == pytest.approx(share, abs=0.03)
    assert found["perturb"] + found["resample"] == pytest.approx(600, abs=60)


def test_what_moves_of_structure_do() -> None:
    up = explore(SPACE, VALUES, STRUCTURE, moving(dimension_up=1.0), SETTABLE, rng())
    assert [one["name"] for one in up.steps] == ["dimension_up", "jitter"] and up.values[DIMENSIONS] == 3
    down = explore(SPACE, VALUES, STRUCTURE, moving(dimension_down=1.0), SETTABLE, rng())
    assert down.steps == [{"name": "dimension_down", "values": {"limit_ms": 1.0}}]
    split = explore(SPACE, VALUES, STRUCTURE, moving(split=1.0), SETTABLE, rng())
    assert split.steps == [{"name": "split", "values": {"count": 4}}] and split.structure == {HIDDEN: 44}
    assert split.values == VALUES
    fewer = explore(SPACE, VALUES, STRUCTURE, moving(remove=1.0), SETTABLE, rng())
    assert fewer.structure == {HIDDEN: 36}


def test_a_move_that_leaves_its_domain_is_none() -> None:
    values, structure = {**VALUES, DIMENSIONS: 3}, {**STRUCTURE, DIMENSIONS: 3}
    change = explore(SPACE, values, structure, moving(dimension_up=1.0), SETTABLE, rng())
    assert change.move in ("perturb", "resample") and change.values[DIMENSIONS] == 3
    free = Space([Field("learner.wiring_cost", Log(1e-3, 1.0))])
    change = explore(free, {"learner.wiring_cost": 0.1}, structure, moving(dimension_up=1.0), SETTABLE, rng())
    assert change.move == "dimension_up" and change.structure == {DIMENSIONS: 4, HIDDEN: 40}


def test_sizes_go_to_the_next_option() -> None:
    space = Space([Field(HIDDEN, Choice((16, 32, 64)))])
    grown = explore(space, {HIDDEN: 32}, {DIMENSIONS: 2, HIDDEN: 32}, moving(split=1.0), (), rng())
    assert grown.values == {HIDDEN: 64} and grown.steps == [{"name": "split", "values": {"count": 32}}]
    most = explore(space, {HIDDEN: 64}, {DIMENSIONS: 2, HIDDEN: 64}, moving(split=1.0), (), rng())
    assert most.move == "copy"


def test_without_mutation_a_child_is_told_from_its_parent_by_jitter_alone() -> None:
    options = EvolutionOptions(explore=ExploreOptions(1.0, 0.0))
    change = explore(SPACE, VALUES, STRUCTURE, options, SETTABLE, rng())
    assert (change.move, change.values) == ("copy", VALUES)
    assert change.steps == [{"name": "jitter", "values": {"size": 1e-3}}]


def test_a_field_whose_condition_comes_to_hold_is_drawn() -> None:
    space = Space(
        [
            Field("learner.wiring_power", Choice((0, 2))),
            Field("learner.wiring_cost", Log(1e-3, 1.0), {"learner.wiring_power": 2}),
        ]
    )
    settable = ("learner.wiring_power", "learner.wiring_cost")
    options = EvolutionOptions(explore=ExploreOptions(1.2, 0.0))
    change = explore(space, {"learner.wiring_power": 0}, STRUCTURE, options, settable, rng())
    assert change.values["learner.wiring_power"] == 2 and space.fits(change.values)
    back = explore(space, change.values, STRUCTURE, options, settable, rng())
    assert back.values == {"learner.wiring_power": 0}


def test_probabilities_of_moves_add_up_to_one_at_most() -> None:
    with pytest.raises(ValueError, match=r"add up to 1\.2"):
        MoveOptions(dimension_up=0.6, split=0.6)


@pytest.mark.parametrize(("move", "factor"), [("split", 1.1), ("remove", 0.9)])
def test_a_move_of_neurons_is_about_one_layer(move: str, factor: float) -> None:
    sizes, layers = (40, 20, 10), set()
    for seed in range(20):
        structure: Structure = {DIMENSIONS: 2, HIDDEN: sizes}
        change = explore(SPACE, VALUES, structure, moving(**{move: 1.0}), SETTABLE, rng(seed))
        (step,) = change.steps
        layer, wanted = step["values"]["layer"], list(sizes)
        layers.add(layer)
        wanted[layer] = round(factor * wanted[layer])
        assert change.move == step["name"] == move and change.structure == {HIDDEN: tuple(wanted)}
        assert step["values"]["count"] == abs(wanted[layer] - sizes[layer])
    assert layers == {0, 1, 2}


def test_layers_that_are_searched_stay_as_they_are() -> None:
    space = Space([Field(HIDDEN, Choice(("40", "40-20"))), Field("learner.wiring_cost", Log(1e-3, 1.0))])
    values: dict[str, Value] = {HIDDEN: "40-20", "learner.wiring_cost": 0.1}
    structure: Structure = {DIMENSIONS: 2, HIDDEN: (40, 20)}
    for seed in range(5):
        change = explore(space, values, structure, moving(split=1.0), SETTABLE, rng(seed))
        assert change.values[HIDDEN] == "40-20" and change.move in ("perturb", "resample")
