"""The picture of lesions."""

import numpy as np
import pandas as pd

from service.figures.lesions import draw_lesions


def test_lesions_are_drawn_as_what_is_lost_beside_random_sets() -> None:
    rows = pd.DataFrame(
        [
            {"kind": kind, "label": 0, "size": 3, "class": label, "part": part, "intact": 0.9, **found}
            for kind, found in (
                ("cluster", {"accuracy": 0.4, "random_mean": 0.7, "z": -4.0}),
                ("band", {"accuracy": 0.8, "random_mean": 0.7, "z": np.nan}),
            )
            for label, part in ((None, None), (0.0, None), (None, 1.0))
        ]
    )
    figure = draw_lesions(rows, "a title")
    left, right, _ = figure.axes
    np.testing.assert_allclose(np.asarray(left.images[0].get_array()), np.array([[0.5] * 3, [0.1] * 3]))
    np.testing.assert_allclose(np.asarray(right.images[0].get_array()), np.full((2, 3), 0.2))
    assert [one.get_text() for one in left.get_xticklabels()] == ["all", "0", "part 1"]
    assert [one.get_text() for one in left.get_yticklabels()] == ["cluster 0 (3)", "band 0 (3)"]
    assert len(np.asarray(left.collections[0].get_offsets())) == 3  # those of the first row alone are marked
