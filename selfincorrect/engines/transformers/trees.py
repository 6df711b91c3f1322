"""Sequences of tokens that begin alike, merged, so that each distinct beginning is read once."""

from collections.abc import Sequence

import torch


class Tree:
    """The tokens of sequences, a node for each distinct beginning of any of them.

    A node has its token, its depth (0 for a first token), and its parent (−1 for a first token); nodes come
    after their parents.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.depths: list[int] = []
        self._parents: list[int] = []
        self._children: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.tokens)

    def common(self, sequence: Sequence[int]) -> int:
        """How many of the first tokens of `sequence` are in the tree already."""
        node = -1
        for count, token in enumerate(sequence):
            if (node := self._children.get((node, token), -2)) == -2:
                return count
        return len(sequence)

    def add(self, sequence: Sequence[int]) -> list[int]:
        """Add a sequence, and return the nodes of its tokens."""
        nodes, node = [], -1
        for depth, token in enumerate(sequence):
            child = self._children.get((node, token))
            if child is None:
                child = self._children[node, token] = len(self.tokens)
                self.tokens.append(token)
                self.depths.append(depth)
                self._parents.append(node)
            nodes.append(node := child)
        return nodes

    @property
    def branches(self) -> bool:
        """Whether it has sequences of which neither begins the other."""
        return self.depths != list(range(len(self.depths)))

    def seen(self) -> torch.Tensor:
        """What each node meets, [nodes, nodes]: itself, and those before it in its sequences."""
        seen = torch.eye(len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self._parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen
