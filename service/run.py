"""`polychrony run`: a sweep from its file to its results, here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from rich.console import Console

from service.errors import Fault, SweepError, UserError
from service.files import lock_file, sweep_file, write_whole
from service.record.schema import make_schemas, searched_columns
from service.spec.changes import difference, only_budgets_grew
from service.spec.sweep import SweepSpec, dump, load

if TYPE_CHECKING:
    from service.conductor import Conductor
    from service.tracking.listener import MlflowListener


def run(file: Path, runs: Path, overrides: Sequence[str], console: Console) -> None:
    """Run the sweep of `file` in the folder `runs`, or take it up where it stopped; see `conduct`."""

    def execute(conductor: "Conductor") -> None:
        from service.tuning import run_on_ray

        run_on_ray(conductor)

    conduct(load(file, overrides), file, runs, console, execute)


def conduct(
    spec: SweepSpec, file: Path, runs: Path, console: Console, execute: Callable[["Conductor"], None]
) -> None:
    """Conduct a sweep from its start, or from where its record ends, to its summary.

    Args:
        spec: the sweep.
        file: where it was read, for messages.
        runs: folder of all sweeps.
        console: where progress is shown.
        execute: runs the trials of a conductor.

    Raises:
        UserError: before anything is written, if `spec` can't be recorded or is not the sweep of that name.
        SweepError: if the sweep could not go on; what is finished is kept.
        KeyboardInterrupt: passed on; what is finished is kept.
    """
    try:
        make_schemas(searched_columns(spec.space))
    except ValueError as error:
        raise UserError([Fault(str(file), "space", str(error))]) from error
    # Absolute: the workers of Ray have a working directory of their own.
    folder = runs.absolute() / spec.name
    _check_same(spec, file, folder)
    _check_data(spec, file)
    with _only_driver(folder):
        write_whole(sweep_file(folder), dump(spec).encode())
        _conduct(spec, folder, console, execute)


def _check_same(spec: SweepSpec, file: Path, folder: Path) -> None:
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
        raise UserError(
            [
                Fault(
                    str(file),
                    "name",
                    f"there is another sweep called `{spec.name}` ({changes}); choose another name, or "
                    "change nothing but `resources` and a larger `search.trials`",
                )
            ]
        )


def _check_data(spec: SweepSpec, file: Path) -> None:
    """Load the data once before anything is written: what is wrong with them would fail every trial."""
    from model.datasets import load_splits

    try:
        load_splits(spec.data)
    except ValueError as error:
        raise UserError([Fault(str(file), "data", str(error))]) from error


@contextmanager
def _only_driver(folder: Path) -> Iterator[None]:
    """Make the sweep's folder, and hold it against other processes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file(folder), blocking=False)
        lock.acquire()
    except Timeout as error:
        raise SweepError(f"{folder}: another process runs this sweep; wait for it, or stop it") from error
    except OSError as error:
        fault = f"can't be written ({error.strerror}); choose a folder that can"
        raise UserError([Fault("--out", str(folder), fault)]) from error
    try:
        yield
    finally:
        lock.release()


def _conduct(spec: SweepSpec, folder: Path, console: Console, execute: Callable[["Conductor"], None]) -> None:
    # Imported here: they bring torch and mlflow, and a faulty file should not wait for them.
    from service.conductor import Conductor
    from service.progress import Progress
    from service.summary import print_summary

    with closing(Conductor(spec, folder)) as conductor:
        finished = conductor.record.rows("trials").to_pylist()
        if len(finished) >= spec.search.trials:
            console.print(f"{spec.name} is finished: {len(finished)} trials.", highlight=False)
        else:
            taken_up = f", {len(finished)} are finished" if finished else ""
            console.print(f"{spec.name}: {spec.search.trials} trials{taken_up}.", highlight=False)
        with _mlflow(conductor, folder, console) as mlflow:
            if len(finished) < spec.search.trials:
                with Progress(spec, finished, console) as progress:
                    conductor.listeners = [progress, mlflow]
                    execute(conductor)
            mlflow.show_leaders(conductor)
    print_summary(folder, console)


@contextmanager
def _mlflow(conductor: "Conductor", folder: Path, console: Console) -> Iterator["MlflowListener"]:
    """The MLflow view, first brought up to the record, and closed when all has arrived there."""
    from service.tracking.listener import MlflowListener
    from service.tracking.view import MlflowView

    view = MlflowView.open(folder.parent, conductor.spec, folder)
    listener = MlflowListener(view, folder, conductor.spec.name)
    state = "failed"
    try:
        finished = conductor.record.finished_trials()
        if finished:
            known = view.finished_trials(patience=30)
            conductor.retell(finished.keys() - (known or set()), listener)
        yield listener
        state = "complete"
    except KeyboardInterrupt:
        state = "cancelled"
        raise
    finally:
        with console.status("MLflow: logging the rest") if console.is_terminal else nullcontext():
            view.close(state)
        if view.lost:
            fault = (
                f"MLflow: {view.lost} entries could not be logged; run the same command again when it is back"
            )
            console.print(fault, highlight=False)
