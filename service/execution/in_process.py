"""Trials in this process, one after the other, without Ray."""

from collections.abc import Callable

from service.control.controller import SweepController
from service.worker.task import Report, Task
from service.worker.trial import Trial


def run_in_process(controller: SweepController, say: Callable[[Task, Report], object]) -> None:
    """Run the controller's trials to the end.

    Args:
        controller: of the sweep.
        say: is told every report.

    Raises SweepError if the record can't be written.
    """
    while task := controller.next_task():
        trial, goes_on = Trial(task), True
        while goes_on:
            report = trial.advance()
            say(task, report)
            goes_on = controller.take(report).goes_on
