"""The MLflow view of a sweep: written by the driver alone, from the record."""

from service.tracking.ui import ui_command
from service.tracking.view import MlflowView

__all__ = ["MlflowView", "ui_command"]
