"""The service: sweep files, trials on Ray, the record of results, MLflow, the command line.

Names are loaded when first used, so that the command line answers at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.results.sweep import Sweep

__all__ = ["Sweep"]


def __getattr__(name: str) -> Any:
    if name == "Sweep":
        from service.results.sweep import Sweep

        return Sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
