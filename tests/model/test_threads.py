"""Torch's own threads: none while networks are trained or evaluated, and as many as before afterwards."""

from collections.abc import Callable, Iterator

import pytest
import torch

from model import LearnerConfig, SpikeDataset
from model.analysis.evaluation import evaluate
from model.datasets import Splits
from model.threads import one_torch_thread
from model.training import trainer as module
from model.training.trainer import Trainer


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_there_is_one_meanwhile_also_after_an_error() -> None:
    with pytest.raises(KeyError), one_torch_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 3


def test_training_and_evaluation_have_one(
    random_data: Callable[..., SpikeDataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    update = Trainer._update

    def watched(*values: object) -> None:
        seen.append(torch.get_num_threads())
        update(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(module.Trainer, "_update", watched)
    data = random_data(samples=4)
    trainer = Trainer(LearnerConfig(hidden=3, epochs=1, duration=40.0), Splits(data, data, None), [0])
    trainer.run_epoch()
    assert set(seen) == {1} and torch.get_num_threads() == 3
    forward = type(trainer.net).forward

    def looked(*values: object) -> object:
        seen.append(torch.get_num_threads())
        return forward(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(type(trainer.net), "forward", looked)
    for act in (lambda: evaluate(trainer.net, data), trainer.evaluation):
        seen.clear()
        trainer._observed = None
        act()
        assert set(seen) == {1} and torch.get_num_threads() == 3
