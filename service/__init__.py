"""The service: sweep files, trials on Ray, the record of results, MLflow, the command line.

Names are loaded when first used, so that the command line answers at once and reading results loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.results.optuna_study import optuna_study
    from service.results.sweep import Sweep
    from service.results.sweeps import Sweeps

__all__ = ["Sweep", "Sweeps", "optuna_study"]

_HOMES = {
    "Sweep": "service.results.sweep",
    "Sweeps": "service.results.sweeps",
    "optuna_study": "service.results.optuna_study",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
