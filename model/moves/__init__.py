"""Moves: changes of trained networks' configuration that keep what they have learned."""

from model.moves.apply import MOVES, Moved, apply_steps
from model.moves.step import MoveError, Step

__all__ = ["MOVES", "MoveError", "Moved", "Step", "apply_steps"]
