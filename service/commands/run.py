"""`polychrony run`: a sweep from its file to its results, here."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.status import Status

from service.config.changes import difference, only_budgets_grew
from service.config.document import Document
from service.config.faults import ConfigFault
from service.config.load import Source, load, read_sweep
from service.config.sweep import SweepSpec, dump
from service.errors import SweepError, UserError
from service.execution.address import check_reachable
from service.execution.scratch import scratch_place
from service.importing import importing
from service.record.plan import Plan, WarmStartTrial
from service.results.warm_start import find_sources
from service.storage.atomic import write_whole
from service.storage.layout import plan_file, sweep_file
from service.storage.lock import sweep_lock
from service.storage.paths import StoragePath
from service.text import trials
from service.tracking.location import check_store

PATIENCE, LAST_PATIENCE = 30.0, 10.0
"""Seconds that MLflow may do nothing while it is asked what it has, at the start and at the end."""

if TYPE_CHECKING:
    from service.control.controller import SweepController
    from service.tracking.listener import MlflowListener

Lines = Literal["none", "trials", "epochs"]
"""What is said of a sweep while it runs."""


def run(
    file: Source,
    runs: StoragePath,
    overrides: Sequence[str],
    console: Console,
    address: str | None = None,
    lines: Lines = "trials",
) -> None:
    """Run a sweep in the folder `runs`, or take it up where it stopped; see `conduct`, also for `lines`.

    `file` is the path of a sweep file, or its keys and values themselves.

    With an `address` its trials run on the cluster there; without, on a Ray of this process's own.
    """
    scratch_place()
    if address is not None:
        check_reachable(address)

    def execute(controller: "SweepController") -> None:
        with importing():
            from service.execution.ray_tune import run_on_ray

        run_on_ray(controller, address=address)

    conduct(*read_sweep(file, overrides), runs, console, execute, lines)


def conduct(
    spec: SweepSpec,
    document: Document,
    runs: StoragePath,
    console: Console,
    execute: Callable[["SweepController"], None],
    lines: Lines = "trials",
) -> None:
    """Conduct a sweep from its start, or from where its record ends, to its summary.

    Args:
        spec: the sweep.
        document: where it was read, for messages.
        runs: folder of all sweeps.
        console: where progress is shown.
        execute: runs the trials of a controller.
        lines: whether there is a line a trial, beside a live table, or also one an epoch; or neither.

    Raises:
        UserError: before anything is written, if `spec` can't be recorded or is not the sweep of that name.
        SweepError: if the sweep could not go on; what is finished is kept.
        KeyboardInterrupt: passed on; what is finished is kept.
    """
    # Absolute: the workers of Ray have a working directory of their own.
    folder = runs.absolute() / spec.name
    sources = prepare(spec, document, folder)
    with sweep_lock(folder) as folder:
        # Once more: what was looked at before may have been begun by another process meanwhile.
        _check_same(spec, document, folder)
        write_whole(sweep_file(folder), dump(spec).encode())
        _conduct(spec, sources, folder, console, execute, lines)


def prepare(spec: SweepSpec, document: Document, folder: StoragePath) -> list[WarmStartTrial]:
    """Find what is wrong with a sweep beyond its file, before anything is written.

    Args:
        spec: the sweep.
        document: where it was read.
        folder: of the sweep.

    Returns:
        The trials that a sweep starts from which has not begun any; one that is taken up has kept its own.

    Raises:
        UserError: if it is not the sweep of that name, its data or earlier sweeps can't be read, or MLflow
            can't be used with a folder such as this.
        SweepError: if the record of what was asked can't be used.
    """
    _check_same(spec, document, folder)
    _check_data(spec, document)
    check_store(folder.parent, spec.mlflow.uri)
    begun = sweep_file(folder).exists() and Plan(plan_file(folder), writable=False).sources is not None
    return [] if begun else _sources(spec, document, folder.parent)


def _check_same(spec: SweepSpec, document: Document, folder: StoragePath) -> None:
    """A sweep keeps its name: what is stored under it must be the same, but for its budgets."""
    if not sweep_file(folder).exists():
        return
    try:
        stored, asked = load(sweep_file(folder)).resolved(), spec.resolved()
    except UserError as error:
        raise SweepError(
            f"{sweep_file(folder)}: the record of what was asked can't be used; restore it from a copy, or "
            f"choose another name\n{error}"
        ) from error
    if not only_budgets_grew(stored, asked):
        changes = "; ".join(difference(stored, asked))
        raise _fault(
            document,
            "name",
            f"there is another sweep called `{spec.name}` ({changes}), in {sweep_file(folder)}; choose "
            "another name, or change nothing but `resources`, `mlflow`, a larger `budget` and a larger "
            "`search.trials`",
        )


def _check_data(spec: SweepSpec, document: Document) -> None:
    """Load the data once before anything is written: what is wrong with them would fail every trial."""
    from model.datasets import load_splits

    try:
        load_splits(spec.data)
    except ValueError as error:
        raise _fault(document, "data", str(error)) from error


def _sources(spec: SweepSpec, document: Document, runs: StoragePath) -> list[WarmStartTrial]:
    """The trials that the sweep starts from."""
    try:
        return find_sources(spec, runs)
    except ValueError as error:
        raise _fault(document, "search.warm_start", str(error)) from error


def _fault(document: Document, path: str, message: str) -> UserError:
    """A fault that only running could show, with the line of the value."""
    return document.error([ConfigFault(tuple(path.split(".")), message)])


def _conduct(
    spec: SweepSpec,
    sources: list[WarmStartTrial],
    folder: StoragePath,
    console: Console,
    execute: Callable[["SweepController"], None],
    lines: Lines,
) -> None:
    started = time.monotonic()
    # Imported here: they bring Ray and MLflow, and a faulty file should not wait for them.
    with console.status("loading Ray and MLflow", spinner="line"), importing():
        from service.commands.progress import Progress
        from service.commands.summary import print_summary
        from service.control.controller import SweepController
        from service.tracking import listener as _  # noqa: F401

    with closing(SweepController(spec, folder, sources=sources)) as controller:
        finished = controller.record.rows("trials").to_pylist()
        done = controller.queue.over
        taken_up = f", {len(finished)} are finished" if finished else ""
        planned = spec.planned
        most = " at most" if spec.open_ended else ""
        said = f" is finished: {trials(len(finished))}" if done else f": {trials(planned)}{most}{taken_up}"
        console.print(f"{spec.name}{said}.", highlight=False)
        with _mlflow(controller, folder, console) as mlflow:
            if not done:
                with ExitStack() as shown:
                    controller.listeners = [mlflow]
                    if lines != "none":
                        watch = Progress(spec, finished, planned, console, each_epoch=lines == "epochs")
                        progress = shown.enter_context(watch)
                        controller.listeners = [progress, mlflow]
                    execute(controller)
                # What was deleted there for good; if it does not answer, all waits to be told anyway.
                if (known := mlflow.finished_trials(LAST_PATIENCE)) is not None:
                    controller.retell(controller.record.finished_trials().keys() - known, mlflow)
            with console.status("drawing", spinner="line") as status:
                mlflow.show_results(_teller(console, status))
        if exhausted_budget := controller.queue.exhausted_budget:
            console.print(f"{spec.name} has stopped: {exhausted_budget}.", highlight=False, soft_wrap=True)
    print_summary(folder, console, None if done else time.monotonic() - started)


def _teller(console: Console, status: Status) -> Callable[[str], object]:
    """What says how far the drawing is: on a terminal in place, elsewhere once, at its start."""
    if console.is_terminal:
        return status.update
    said: list[str] = []

    def once(text: str) -> None:
        if not said:
            said.append(text)
            console.print(text, highlight=False)

    return once


@contextmanager
def _mlflow(
    controller: "SweepController", folder: StoragePath, console: Console
) -> Iterator["MlflowListener"]:
    """The MLflow view, first brought up to the record, and closed when all has arrived there."""
    from service.tracking.listener import MlflowListener
    from service.tracking.view import MlflowView

    view = MlflowView.open(folder.parent, controller.spec, folder)
    listener = MlflowListener(view, controller.spec, controller.record, folder)
    state = "failed"
    try:
        if finished := controller.record.finished_trials():
            known = listener.finished_trials(PATIENCE)
            controller.retell(finished.keys() - (known or set()), listener)
        yield listener
        state = "complete"
    except (KeyboardInterrupt, SystemExit):  # rich exits if nobody reads any more
        state = "cancelled"
        raise
    finally:
        with console.status("", spinner="line") as status:
            if not console.is_terminal and (waiting := listener.drawing()):
                console.print(waiting, highlight=False)
            lost = listener.close(
                state, lambda _: status.update(listener.drawing() or "MLflow: logging the rest")
            )
        if lost:
            fault = f"MLflow: {lost} entries could not be logged; run the same command again when it is back"
            console.print(fault, highlight=False)
