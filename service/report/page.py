"""The page of a report: one HTML file that needs nothing from anywhere else."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.report.effects import CLEAR, CONSTANT, FALSE_DISCOVERIES, TOO_FEW, UNCLEAR, Effect, in_words
from service.report.labels import label, short
from service.report.sweep_data import SweepData, as_text

MOST_ROWS = 20
"""Leading trials in the table."""


@dataclass(frozen=True)
class Picture:
    """A figure on the page, or a word why it is not there."""

    title: str
    text: str
    """The caption of the figure, or the word why it is not there."""
    name: str | None = None
    """The name of its files without ending; None: it is not there."""
    drawing: bytes = b""
    """SVG."""
    width: int = 0
    """On the page (pixels)."""

    @property
    def source(self) -> str:
        """The drawing as the address of an image."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.drawing).decode()}"


@dataclass(frozen=True)
class Opening:
    """What stands on top of the page."""

    conclusions: Sequence[str]
    """Sentences on what was found."""
    origin: Sequence[tuple[str, str]]
    """Where the numbers come from: names and values."""
    sweep_file: str
    """The sweep file, with all defaults."""


def render(
    sweep_data: SweepData, effects: Sequence[Effect], pictures: Sequence[Picture], opening: Opening
) -> str:
    """The page as HTML."""
    loader = PackageLoader("service.report", ".")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["short"] = short
    environment.filters["code"] = _with_code
    return environment.get_template("page.html").render(
        sweep_data=sweep_data,
        states=", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sweep_data.states.items()),
        goals=[f"{short(one.metric)} ({one.goal})" for one in sweep_data.objectives],
        leaders=_leaders(sweep_data),
        effects={
            verdict: _by_outcome([one for one in effects if one.verdict == verdict])
            for verdict in (CLEAR, UNCLEAR, CONSTANT, TOO_FEW)
        },
        compared=sum(one.verdict in (CLEAR, UNCLEAR) for one in effects),
        false_discoveries=f"{FALSE_DISCOVERIES:.0%}".replace("%", " %"),
        opening=opening,
        pictures=pictures,
    )


def _with_code(text: str) -> Markup:
    """Text as HTML, in which what stands between backticks is set as code."""
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in parts)


def _by_outcome(effects: Sequence[Effect]) -> dict[str, list[str]]:
    """What there is to say, by outcome."""
    outcomes = dict.fromkeys(one.outcome for one in effects)
    return {outcome: in_words([one for one in effects if one.outcome == outcome]) for outcome in outcomes}


def _leaders(sweep_data: SweepData) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of leading trials: the best, or with several objectives the Pareto front."""
    metrics = [one.metric for one in sweep_data.objectives]
    shown = list(dict.fromkeys([*metrics, *(m for m in ("accuracy", "test_accuracy") if sweep_data.has(m))]))
    trials = sweep_data.trials.sort_values(metrics[0], ascending=sweep_data.objectives[0].goal == "min")
    if len(metrics) > 1:
        trials = trials[trials["trial"].isin(sweep_data.front)]
    rows = [
        [
            str(row["trial"]),
            *(_value(row[name]) for name in sweep_data.fields),
            *(_with_error(row, m) for m in shown),
        ]
        for _, row in trials.head(MOST_ROWS).iterrows()
    ]
    return ["trial", *map(label, [*sweep_data.fields, *shown])], rows


def _value(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.4g}" if isinstance(value, float) else as_text(value)


def _with_error(row: "pd.Series[float]", metric: str) -> str:
    """Mean with its standard error over replicates."""
    mean, error = row[metric], row[f"{metric}_sem"]
    return _value(mean) if pd.isna(error) else f"{_value(mean)} ± {error:.2g}"
