"""The short form of benchmarks/chaos.py: a real cluster, real trials and a real server, each killed once."""

from pathlib import Path

from audit import audit
from chaos import SWEEP, Round, Scene, left_over, play, spread


def test_a_sweep_survives_whatever_is_killed(tmp_path: Path) -> None:
    rounds: list[Round] = []
    store = f"sqlite:///{tmp_path / 'server.db'}"
    scene = Scene(tmp_path, SWEEP.format(trials=6, epochs=50, hidden=16), store, seed=1)
    scene.pause, scene.outage = 1.0, 4.0
    try:
        faults = play(scene, ["worker", "driver", "mlflow", "node"], rounds.append, spread(scene, 8, 4))
        assert faults == [] and len(rounds) == 4, (faults, rounds, scene.said.read_text())
        assert audit(scene.sweep, 6, 50, 2, scene.server.uri) == []
        assert left_over(scene) == []
    finally:
        scene.close()
