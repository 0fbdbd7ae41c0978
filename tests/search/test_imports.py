"""What importing costs: to read a sweep, no Optuna; to search, only the sampler that is asked for."""

import subprocess
import sys

import pytest

HEAVY = ("optuna", "scipy", "cmaes", "moocore")


def loaded(code: str) -> set[str]:
    """Which of the heavy packages a new process has loaded after `code`."""
    asked = f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "modules",
    [
        "search",
        "search.objectives, search.plateau, search.ranking",
        "search.domains, search.space, search.suggestion, search.seeds",
        "search.samplers, search.samplers.options, search.combinations",
        "search.stopping",
    ],
)
def test_what_a_reader_needs_loads_nothing_heavy(modules: str) -> None:
    assert loaded(f"import {modules}") == set()


def test_a_searcher_loads_what_its_sampler_needs() -> None:
    made = (
        "from search import Field, Objective, SamplerOptions, Search, Space, Uniform\n"
        "Search(Space([Field('a.x', Uniform(0, 1))]), [Objective('loss', 'min')], "
        "options=SamplerOptions(sampler='random')).ask(0)"
    )
    assert loaded(made) == {"optuna"}


def test_every_public_name_is_there() -> None:
    import search

    assert [name for name in search.__all__ if not hasattr(search, name)] == []
    with pytest.raises(AttributeError, match="module 'search' has no attribute 'Serach'"):
        _ = search.Serach
