"""Training samples varied at random: shifted, blended, stretched, jittered and thinned."""

from model.augmentation.augment import Augmentation, augment

__all__ = ["Augmentation", "augment"]
