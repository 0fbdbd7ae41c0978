"""`polychrony report`: a page, its figures as PNG and SVG, and their data as CSV."""

from dataclasses import asdict

import pandas as pd
from rich.console import Console

from service.figures.style import png, svg
from service.report.conclusions import conclusions
from service.report.contents import contents
from service.report.effects import Effect, find_effects
from service.report.exemplars import load
from service.report.items import Drawn, Item
from service.report.origin import origin_of, sweep_file_of
from service.report.page import Opening, Picture, render
from service.report.pruned import pruning_curves
from service.report.sweep_data import read_sweep_data
from service.report.uncertainty import samples_of
from service.results.sweep import Sweep
from service.storage.atomic import write_whole
from service.storage.paths import StoragePath

PIXELS = 88
"""An inch of a figure on the page."""


def write_report(folder: StoragePath, console: Console) -> StoragePath:
    """Report on the sweep in `folder`, finished or not; returns the page, `report/index.html` below it.

    Raises:
        UserError: if there is no sweep, or no complete trial.
        SweepError: if a file of the sweep is damaged, or the report can't be written.
    """
    sweep = Sweep(folder)
    sweep_data = read_sweep_data(sweep)
    target = folder / "report"
    explained = sweep_data.networks["trial"].isin(sweep_data.trials["trial"][sweep_data.explained])
    with console.status("comparing trials", spinner="line") as status:
        effects = find_effects(
            sweep_data.networks[explained], sweep_data.fields, sweep_data.outcomes, sweep_data.grouped_by
        )
        write_whole(target / "effects.csv", _table(effects).to_csv(index=False).encode())
        status.update("drawing: networks")
        pictures: list[Picture] = []
        leading = pruning_curves(folder)
        for item in contents(sweep_data, load(sweep, sweep_data), leading):
            status.update(f"drawing: {item.title} is there")
            pictures.append(_written(item, target))
    opening = Opening(
        conclusions(sweep_data, effects, samples_of(sweep_data.data), leading),
        origin_of(sweep, sweep_data),
        sweep_file_of(sweep),
    )
    page = target / "index.html"
    write_whole(page, render(sweep_data, effects, pictures, opening).encode())
    console.print(f"{sweep_data.name}: {sweep_data.progress}", highlight=False)
    console.print(f"report:  {page}", highlight=False, soft_wrap=True)
    return page


def _written(item: Item, target: StoragePath) -> Picture:
    """What stands on the page of a figure, whose files are written."""
    if not isinstance(item, Drawn):
        return Picture(item.title, item.why)
    drawing = svg(item.figure)
    write_whole(target / f"{item.name}.png", png(item.figure))
    write_whole(target / f"{item.name}.svg", drawing)
    write_whole(target / f"{item.name}.csv", item.data.to_csv(index=False).encode())
    width = round(PIXELS * item.figure.get_figwidth())
    return Picture(item.title, item.caption, item.name, drawing, width)


def _table(effects: list[Effect]) -> pd.DataFrame:
    told = pd.DataFrame([asdict(one) | {"verdict": one.verdict} for one in effects])
    return told.drop(columns="constant", errors="ignore")  # the verdict says it
