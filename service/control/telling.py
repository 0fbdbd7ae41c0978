"""What the search is told of a trial that is over."""

from search import Search
from service.record.rows import FinishedTrial


def tell(search: Search, finished: FinishedTrial) -> None:
    """Tell it the results, or why there are none."""
    row = finished.row
    if row["state"] == "complete":
        search.tell_complete(finished.trial, finished.means)
    elif row["state"] == "pruned":
        search.tell_pruned(finished.trial, row["epochs"], finished.means)
    else:
        search.tell_failed(finished.trial, row["reason"] or row["state"])
