"""What `benchmarks/accuracy.py measure` found, as a picture.

    python -m benchmarks.accuracy_picture RESULTS PICTURE

Dots are networks, two or more of an embedding, bars the mean and its standard error; figure 7 of the paper on
these data.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.accuracy import EMBEDDINGS, Row, mean_and_error, read
from service.figures.style import COLOURS, INK, new_figure, plain, png, titled

KEYS = {
    "test_accuracy_seen": "known speakers",
    "test_accuracy": "all",
    "test_accuracy_unseen": "an unknown speaker",
}


def draw(results: list[Row]) -> bytes:
    """Test accuracy by embedding, with the number of learned parameters, as PNG."""
    figure = new_figure(7.5, 3.6)
    axes = figure.add_subplot()
    names = [name for name in EMBEDDINGS if any(row["embedding"] == name for row in results)]
    for colour, (key, label) in zip(COLOURS, KEYS.items(), strict=False):
        for place, name in enumerate(names):
            found = [100 * row[key] for row in results if row["embedding"] == name]
            show_mean(axes, place, found, colour, label if place == 0 else None)
    counts = [next(row["parameters"] for row in results if row["embedding"] == name) for name in names]
    labels = [f"{name}\n{count:,}" for name, count in zip(names, counts, strict=True)]
    axes.set_xticks(range(len(names)), labels)
    axes.set_xlabel("where delays come from, and learned parameters")
    axes.set_ylabel("test accuracy (%)")
    titled(axes, "Spoken digits: what delays are worth")
    plain(axes)
    figure.legend(loc="outside right upper", frameon=False, labelcolor=INK, fontsize=9)
    return png(figure)


def show_mean(axes: Any, place: int, found: list[float], colour: str, label: str | None) -> None:
    """The networks of one embedding, their mean and its standard error."""
    mean, error = mean_and_error(found)
    axes.plot([place - 0.15] * len(found), found, "o", color=colour, alpha=0.4, markersize=4, linewidth=0)
    axes.errorbar(place + 0.05, mean, error, fmt="o", color=colour, capsize=4, label=label)


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("picture", type=Path)
    asked = parser.parse_args()
    asked.picture.write_bytes(draw(read(asked.results)))


if __name__ == "__main__":
    main()
