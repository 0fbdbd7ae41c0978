"""Embeddings by the name that a configuration gives them."""

from model.config import LearnerConfig
from model.embeddings.axonal import Axonal
from model.embeddings.base import Embedding
from model.embeddings.equal import Equal
from model.embeddings.free import Free
from model.embeddings.shuffled import Shuffled
from model.embeddings.space import Fixed, Space

EMBEDDINGS: dict[str, type[Embedding]] = {
    "space": Space,
    "free": Free,
    "axonal": Axonal,
    "fixed": Fixed,
    "shuffled": Shuffled,
    "none": Equal,
}
"""All embeddings; their names are those that `model.config` knows."""


def embedding_of(config: LearnerConfig) -> Embedding:
    """The embedding that `config` names.

    >>> embedding_of(LearnerConfig(embedding="fixed")).in_space
    True
    """
    return EMBEDDINGS[config.embedding](config)
