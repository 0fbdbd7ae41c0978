import copy
from typing import Any

import pytest

from service.config.changes import difference, only_budgets_grew

OLD: dict[str, Any] = {
    "name": "a",
    "learner": {"hidden": 64, "dt": 1.0},
    "space": {"learner.tau_mem": {"log": [7.0, 9.0]}},
    "search": {"sampler": "tpe", "trials": 10},
    "budget": {"hours": 1.0, "cpu_hours": None, "plateau": {"trials": 5, "gain": 0.1}},
    "resources": {"cpus": 1},
}


def changed(*keys: str, to: object) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    inside: Any = new
    for key in keys[:-1]:
        inside = inside[key]
    inside[keys[-1]] = to
    return new


@pytest.mark.parametrize(
    ("new", "lines", "continues"),
    [
        (OLD, [], True),
        (changed("search", "trials", to=20), ["search.trials: 10 -> 20"], True),
        (changed("search", "trials", to=9), ["search.trials: 10 -> 9"], False),
        (changed("budget", "hours", to=2.0), ["budget.hours: 1.0 -> 2.0"], True),
        (changed("budget", "hours", to=None), ["budget.hours: 1.0 -> None"], True),
        (changed("budget", "hours", to=0.5), ["budget.hours: 1.0 -> 0.5"], False),
        (changed("budget", "cpu_hours", to=9.0), ["budget.cpu_hours: None -> 9.0"], False),
        (changed("budget", "plateau", "trials", to=9), ["budget.plateau.trials: 5 -> 9"], True),
        (changed("budget", "plateau", "gain", to=0.2), ["budget.plateau.gain: 0.1 -> 0.2"], False),
        (changed("budget", "plateau", "gain", to=0.01), ["budget.plateau.gain: 0.1 -> 0.01"], True),
        (
            changed("budget", "plateau", to=None),
            [
                "budget.plateau.trials: 5 -> not set",
                "budget.plateau.gain: 0.1 -> not set",
                "budget.plateau: not set -> None",
            ],
            True,
        ),
        (changed("resources", "cpus", to=4), ["resources.cpus: 1 -> 4"], True),
        (changed("resources", "cpus", to=0), ["resources.cpus: 1 -> 0"], True),
        (changed("learner", "hidden", to=32), ["learner.hidden: 64 -> 32"], False),
        (changed("learner", "tau_syn", to=None), ["learner.tau_syn: not set -> None"], False),
        (
            changed("space", to={"learner.tau_mem": {"log": [7.0, 9.5]}}),
            ["space.learner.tau_mem.log: [7.0, 9.0] -> [7.0, 9.5]"],
            False,
        ),
        (
            changed("space", to={}),
            ["space.learner.tau_mem.log: [7.0, 9.0] -> not set"],
            False,
        ),
    ],
)
def test_changes(new: dict[str, Any], lines: list[str], continues: bool) -> None:
    assert difference(OLD, new) == lines
    assert only_budgets_grew(OLD, new) is continues
