"""The service: sweep files, trials on Ray, the record of results, MLflow, the command line.

Names are loaded when first used, so that the command line answers at once and reading results loads no torch.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.commands.from_python import run_sweep
    from service.results.optuna_study import optuna_study
    from service.results.sweep import Sweep
    from service.results.sweeps import Sweeps

__all__ = ["Sweep", "Sweeps", "optuna_study", "run_sweep"]

_HOMES = {
    "Sweep": "service.results.sweep",
    "Sweeps": "service.results.sweeps",
    "optuna_study": "service.results.optuna_study",
    "run_sweep": "service.commands.from_python",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        _check_beside()
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _check_beside() -> None:
    """Raises ImportError, with the cure, if modules of the user's stand for packages that belong to ours."""
    root = Path(__file__).resolve().parents[1]
    for package in ("model", "search"):
        found = find_spec(package)
        origin = found and found.origin
        if origin and Path(origin).resolve() != root / package / "__init__.py":
            raise ImportError(
                f"{origin} takes the place of polychrony's own package `{package}`: give your file another "
                "name, or keep its folder off the path (`python -P`)",
                name=package,
                path=origin,
            )


def __dir__() -> list[str]:
    return __all__
