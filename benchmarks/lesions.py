"""What `sweeps/two_digits.yaml` says of modules: whether each of them serves one part of the task.

    polychrony run sweeps/two_digits.yaml
    python -m benchmarks.lesions [two_digits] [--out runs]

One observation is a network: the mean over its sets of a kind. Intervals and tests are those of
`benchmarks.claims`.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.claims import condition_of, mean_text, show, z_text
from service import Sweep

MEASURES = ("z", "part_spread_z", "class_spread_z")
PICKS = 2.0
"""Above this z a set is said to serve one part more than random sets do."""


def networks(lesions: pd.DataFrame) -> pd.DataFrame:
    """A row a network and kind of set: means of its sets, and the share that serve one part."""
    whole = lesions[lesions["class"].isna() & lesions["part"].isna() & (lesions["kind"] != "random")]
    picks = (whole["part_spread_z"] > PICKS).astype(float).where(whole["part_spread_z"].notna())
    whole = whole.assign(picks=picks)
    grouped = whole.groupby(["condition", "kind", "trial", "replicate"], sort=False)
    means = grouped[[*MEASURES, "picks", "size"]].mean()
    return means.assign(sets=grouped.size()).reset_index()


def parts(lesions: pd.DataFrame) -> pd.DataFrame:
    """A row a network and kind of set: accuracy lost in the part that suffers most, and in the other."""
    asked = lesions[lesions["part"].notna() & (lesions["kind"] != "random")]
    asked = asked.assign(lost=asked["intact"] - asked["accuracy"])
    sets = asked.groupby(["condition", "kind", "trial", "replicate", "label"], sort=False)["lost"]
    each = pd.DataFrame({"most": sets.max(), "least": sets.min()})
    return each.groupby(["condition", "kind", "trial", "replicate"], sort=False).mean().reset_index()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", nargs="?", default="two_digits")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    sweep = Sweep(asked.out / asked.sweep)
    trials = sweep.table("trials")
    trials["condition"] = trials.apply(condition_of, axis=1)
    conditions = trials[["trial", "condition"]]
    lesions = sweep.table("lesions").merge(conditions, on="trial")
    found = {
        f"{condition}, {kind}": {
            "sets": mean_text(rows["sets"], 1),
            "neurons": mean_text(rows["size"], 1),
            "z of accuracy": z_text(rows["z"]),
            "z of the spread over digits": z_text(rows["part_spread_z"]),
            "sets that serve one (%)": mean_text(rows["picks"], 0, 100),
            "z of the spread over classes": z_text(rows["class_spread_z"]),
        }
        for (condition, kind), rows in networks(lesions).groupby(["condition", "kind"], sort=False)
    }
    show(pd.DataFrame(found).T, "without a set")
    found = {
        f"{condition}, {kind}": {
            "the one": mean_text(rows["most"], 1, 100),
            "the other": mean_text(rows["least"], 1, 100),
        }
        for (condition, kind), rows in parts(lesions).groupby(["condition", "kind"], sort=False)
    }
    show(pd.DataFrame(found).T, "points lost of each digit")
    epochs = sweep.table("epochs").merge(conditions, on="trial")
    last = epochs[epochs["epoch"] == epochs["epoch"].max()]
    topology = sweep.table("topology").merge(conditions, on="trial")
    trained = topology[topology["epoch"] == topology["epoch"].max()]
    found = {
        condition: {
            "test accuracy (%)": mean_text(rows["test_accuracy"], 1, 100),
            **{
                name: mean_text(trained.loc[trained["condition"] == condition, name])
                for name in ("modularity", "wiring_efficiency", "module_space_ami")
            },
        }
        for condition, rows in last.groupby("condition", sort=False)
    }
    show(pd.DataFrame(found).T, "networks")


if __name__ == "__main__":
    main()
