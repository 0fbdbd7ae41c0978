"""`polychrony report`: a page, its figures as PNG and SVG, and their data as CSV."""

from dataclasses import asdict

import pandas as pd
from rich.console import Console

from service.figures.style import png, svg
from service.report.contents import contents
from service.report.effects import Effect, find_effects
from service.report.exemplars import load
from service.report.items import Drawn
from service.report.page import Picture, render
from service.report.sweep_data import read_sweep_data
from service.report.trial_pictures import pruning_curves
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
    pictures: list[Picture] = []
    for item in contents(sweep_data, load(sweep, sweep_data), pruning_curves(folder)):
        if isinstance(item, Drawn):
            drawing = svg(item.figure)
            write_whole(target / f"{item.name}.png", png(item.figure))
            write_whole(target / f"{item.name}.svg", drawing)
            write_whole(target / f"{item.name}.csv", item.data.to_csv(index=False).encode())
            pictures.append(
                Picture(
                    item.title, item.caption, item.name, drawing, round(PIXELS * item.figure.get_figwidth())
                )
            )
        else:
            pictures.append(Picture(item.title, item.why))
    explained = sweep_data.networks["trial"].isin(sweep_data.trials["trial"][sweep_data.explained])
    networks = sweep_data.networks[explained]
    effects = find_effects(networks, sweep_data.fields, sweep_data.outcomes, sweep_data.grouped_by)
    write_whole(target / "effects.csv", _table(effects).to_csv(index=False).encode())
    page = target / "index.html"
    write_whole(page, render(sweep_data, effects, pictures).encode())
    console.print(f"{sweep_data.name}: {sweep_data.progress}", highlight=False)
    console.print(f"report:  {page}", highlight=False, soft_wrap=True)
    return page


def _table(effects: list[Effect]) -> pd.DataFrame:
    told = pd.DataFrame([asdict(one) | {"verdict": one.verdict} for one in effects])
    return told.drop(columns="constant", errors="ignore")  # the verdict says it
