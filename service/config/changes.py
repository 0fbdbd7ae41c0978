"""How two resolved sweeps differ: may the one go on where the other stopped?"""

from collections.abc import Mapping
from typing import Any

_UNSET = object()


def without_budgets(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved sweep less what its results do not depend on: `search.trials` and some sections."""
    rest = {key: value for key, value in resolved.items() if key not in ("budget", "resources", "mlflow")}
    rest["search"] = {key: value for key, value in resolved["search"].items() if key != "trials"}
    return rest


def only_budgets_grew(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether `new` continues `old`: the same, but perhaps larger budgets.

    `resources` and `mlflow` may change freely.
    """
    if without_budgets(old) != without_budgets(new) or new["search"]["trials"] < old["search"]["trials"]:
        return False
    before, after = _flat(old.get("budget", {})), _flat(new.get("budget", {}))
    return all(_grew(path, before.get(path), after.get(path)) for path in before | after)


def _grew(path: str, before: float | None, after: float | None) -> bool:
    """Whether a limit has become no stricter; None is no limit."""
    if after is None or before is None:
        return after is None
    return before >= after if path == "plateau.gain" else before <= after


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed between two resolved sweeps, a line each.

    >>> difference({"learner": {"hidden": 64}}, {"learner": {"hidden": 128, "dt": 1.0}})
    ['learner.hidden: 64 -> 128', 'learner.dt: not set -> 1.0']
    """
    before, after = _flat(old), _flat(new)
    changed = [path for path in before | after if before.get(path, _UNSET) != after.get(path, _UNSET)]
    return [f"{path}: {_shown(before, path)} -> {_shown(after, path)}" for path in changed]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return leaves


def _shown(leaves: Mapping[str, Any], path: str) -> str:
    return str(leaves[path]) if path in leaves else "not set"
