import math
from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import RandomSampler

from search.domains import Choice, Domain, Int, Log, Uniform, Value
from search.space import Field, Space

EMBEDDING = Field("learner.embedding", Choice(("space", "fixed", "none")))
SCALE = Field("learner.delay_scale", Uniform(2, 60), {"learner.embedding": ["space", "fixed"]})


def suggestions(space: Space, n: int, fixed: dict[str, object] | None = None) -> list[dict[str, Value]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    given = space.given(fixed or {})
    return [given.suggest(study.ask()) for _ in range(n)]


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Uniform(2, 2), r"`uniform`: got \[2, 2\], expected the low end below the high end"),
        (lambda: Uniform(3, 2), "`uniform`"),
        (lambda: Uniform(0, math.inf), "`uniform`: got inf, expected a finite number"),
        (lambda: Uniform(False, 1), "`uniform`: got False"),
        (lambda: Log(0, 1), "`log`: got low 0, expected above 0"),
        (lambda: Log(-1, 1), "`log`: got low -1"),
        (lambda: Int(1, 1), "`int`"),
        (lambda: Int(1.0, 2.5), r"`int`: got \[1.0, 2.5\], expected whole numbers"),  # type: ignore[arg-type]
        (lambda: Choice(()), "`choice`: got no options"),
        (lambda: Choice((1, 2, 1)), "`choice`: got 1 more than once"),
        (lambda: Choice((1, True)), "`choice`: got 1 more than once"),
        (lambda: Choice((math.nan,)), "`choice`: got nan"),
        (lambda: Choice(((1, 2),)), r"`choice`: got \(1, 2\)"),  # type: ignore[arg-type]
    ],
)
def test_domains_refuse_what_is_no_range(make: Callable[[], Domain], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        make()


def test_ends_are_what_a_caller_must_check() -> None:
    assert Uniform(0, 1).ends() == (0.0, 1.0)
    assert Log(1e-7, 1e-3).ends() == (1e-7, 1e-3)
    assert Int(1, 4).ends() == (1, 4)
    assert Choice(("a", None, 3)).ends() == ("a", None, 3)


def test_values_have_the_domain_and_its_plain_type() -> None:
    space = Space(
        [Field("a.u", Uniform(-1, 1)), Field("a.l", Log(1e-4, 1)), Field("a.i", Int(1, 3)), EMBEDDING]
    )
    drawn = suggestions(space, 300)
    for values in drawn:
        assert type(values["a.u"]) is float
        assert -1 <= values["a.u"] <= 1
        assert type(values["a.i"]) is int
        assert type(values["learner.embedding"]) is str
    assert {values["a.i"] for values in drawn} == {1, 2, 3}
    # Uniform logarithms: a quarter of the values in each of the four decades.
    logs = [math.log10(float(values["a.l"])) for values in drawn if isinstance(values["a.l"], float)]
    for decade in range(-4, 0):
        assert 0.15 < sum(decade <= x < decade + 1 for x in logs) / 300 < 0.35


def test_a_field_is_suggested_only_under_its_condition() -> None:
    space = Space([SCALE, EMBEDDING])
    assert space.paths == ("learner.embedding", "learner.delay_scale")
    drawn = suggestions(space, 50)
    assert {v["learner.embedding"] for v in drawn} == {"space", "fixed", "none"}
    assert all((v["learner.embedding"] != "none") == ("learner.delay_scale" in v) for v in drawn)


def test_a_condition_may_be_on_a_fixed_value() -> None:
    space = Space([SCALE])
    assert suggestions(space, 1, {"learner.embedding": "none"}) == [{}]
    assert list(suggestions(space, 1, {"learner.embedding": "fixed"})[0]) == ["learner.delay_scale"]


def test_what_hangs_on_an_inactive_field_is_inactive() -> None:
    depth = Field("a.depth", Int(1, 2), {"a.on": True})
    width = Field("a.width", Int(3, 4), {"a.depth": (1, 2)})
    space = Space([width, depth, Field("a.on", Choice((True, False)))])
    assert space.paths == ("a.on", "a.depth", "a.width")
    drawn = suggestions(space, 30)
    assert {tuple(v) for v in drawn} == {("a.on",), ("a.on", "a.depth", "a.width")}


def test_common_parameters_are_free_of_conditions_and_of_single_options() -> None:
    space = Space([EMBEDDING, SCALE, Field("a.one", Choice((1,)))])
    assert set(space.common()) == {"learner.embedding"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ([EMBEDDING, EMBEDDING], "path `learner.embedding` is taken"),
        ([Field("data.seed", Int(0, 9)), Field("learner.seed", Int(0, 9))], "column `seed` is taken"),
        (
            [Field("a.x", Int(0, 1), {"a.y": 1}), Field("a.y", Int(0, 1), {"a.x": 1})],
            "a.x, a.y go in a circle",
        ),
        ([Field("a.x", Int(0, 1), {"a.x": 1})], "go in a circle"),
        ([EMBEDDING, Field("a.x", Int(0, 1), {"learner.embedding": "spcae"})], "can never hold"),
        ([Field("a.y", Uniform(0, 1)), Field("a.x", Int(0, 1), {"a.y": 0.5})], "can never hold"),
        ([EMBEDDING, Field("a.x", Int(0, 1), {"learner.embedding": []})], "can never hold"),
    ],
)
def test_spaces_refuse_what_cannot_be_searched(fields: list[Field], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Space(fields)


def test_conditions_must_be_on_something_known() -> None:
    with pytest.raises(
        ValueError, match=r"depends on `learner.embedding`, which is neither searched nor set"
    ):
        Space([SCALE]).given({})
    with pytest.raises(ValueError, match=r"`learner.embedding` is searched and set to 'none'"):
        Space([EMBEDDING]).given({"learner.embedding": "none"})
    Space([SCALE]).given({"learner.embedding": "none"})
