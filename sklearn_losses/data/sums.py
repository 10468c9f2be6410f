"""Sums over numbered blocks in one fixed order, whoever computes the parts and however many they are."""

from __future__ import annotations

from typing import Any

import numpy as np

Sums = tuple  # of numbers and arrays, added up element by element

LARGE = 100_000  # numbers; of results that are larger few shall live at once
HANDED_ON = 64  # parts of a sum of large results


def fold_size(n_blocks: int, entries: int) -> int:
    """How many consecutive blocks are added up before their sum is handed on: a power of two."""
    size = 1
    while entries >= LARGE and n_blocks > size * HANDED_ON:
        size *= 2
    return size


class Tree:
    """The sum of the leaves 0 to n - 1 as a binary tree over their numbers.

    The node (level, k) is the sum of the leaves from ``k * 2**level`` up to, not including, ``(k + 1) * 2**level``, or
    up to the last one: its left half plus its right half. Nodes may come in any order and from anywhere, a leaf or
    a larger part: the result has the same bits.
    """

    def __init__(self, n_leaves: int):
        self._n_leaves = n_leaves
        self.nodes: dict[tuple[int, int], Any] = {}

    def put(self, level: int, k: int, node: Sums) -> None:
        """Add a node, and whatever it completes; the tree may write into it."""
        while k or 1 << level < self._n_leaves:
            alone = not k % 2 and (k + 1) << level >= self._n_leaves
            if not alone:
                other = self.nodes.pop((level, k ^ 1), None)
                if other is None:
                    break
                node = add(other, node) if k % 2 else add(node, other)
            level, k = level + 1, k >> 1
        self.nodes[level, k] = node

    def put_all(self, nodes: dict[tuple[int, int], Any]) -> None:
        """Add the nodes of another tree over the same leaves."""
        for (level, k), node in nodes.items():
            self.put(level, k, node)

    def total(self) -> Sums:
        """The sum of all leaves, once they have all come."""
        (node,) = self.nodes.values()
        return node


def add(left: Sums, right: Sums) -> Sums:
    """The sum, written into the arrays of the left one."""
    return tuple(_added(a, b) for a, b in zip(left, right, strict=True))


def _added(left, right):
    left += right  # in place for arrays, a new number for numbers
    return left


class Largest:
    """An array whose sum with another one is the larger of both, entry by entry."""

    def __init__(self, array):
        self.array = array

    def __iadd__(self, other: Largest) -> Largest:
        return Largest(np.maximum(self.array, other.array))
