"""Sums have one order, however their parts come about."""

import numpy as np
import pytest

from sklearn_losses.data.sums import LARGE, Largest, Tree, add, fold_size


def leaves(n):
    random = np.random.RandomState(n)
    return [(random.normal() * 10.0 ** random.randint(-8, 8), random.normal(size=3)) for _ in range(n)]


def copies(parts):
    return [(number, array.copy()) for number, array in parts]


def in_order(n):
    tree = Tree(n)
    for k, leaf in enumerate(copies(leaves(n))):
        tree.put(0, k, leaf)
    return tree.total()


def recursive(parts, level):
    """The definition: the left half of a full tree plus the right half, as far as there are leaves."""
    if len(parts) == 1:
        return parts[0]
    half = 2**level
    if len(parts) <= half:
        return recursive(parts, level - 1)
    return add(recursive(parts[:half], level - 1), recursive(parts[half:], level - 1))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 13, 64, 100])
def test_a_binary_tree_over_the_numbers(n):
    number, array = recursive(copies(leaves(n)), 10)
    assert in_order(n)[0] == number
    np.testing.assert_array_equal(in_order(n)[1], array)


@pytest.mark.parametrize("n", [2, 3, 13, 100])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_bits_in_any_order_and_any_division(n, seed):
    random, parts, whole = np.random.RandomState(seed), copies(leaves(n)), Tree(n)
    chunks = np.split(random.permutation(n) if seed % 2 else np.arange(n), np.sort(random.randint(0, n, size=4)))
    for chunk in reversed(chunks):
        own = Tree(n)
        for k in chunk:
            own.put(0, k, parts[k])
        for (level, k), node in own.nodes.items():
            whole.put(level, k, node)
    assert whole.total()[0] == in_order(n)[0]
    np.testing.assert_array_equal(whole.total()[1], in_order(n)[1])


def test_a_chunk_hands_over_few_parts():
    tree = Tree(1_000)
    for k in range(137, 893):
        tree.put(0, k, (1.0,))
    assert len(tree.nodes) <= 20
    assert sum(node[0] for node in tree.nodes.values()) == 893 - 137


@pytest.mark.parametrize("n_blocks", [1, 64, 65, 1_000, 12_345])
def test_large_results_are_folded_and_small_ones_are_not(n_blocks):
    assert fold_size(n_blocks, LARGE - 1) == 1
    size = fold_size(n_blocks, LARGE)
    assert size & (size - 1) == 0
    assert -(-n_blocks // size) <= 64
    assert size == 1 or -(-n_blocks // (size // 2)) > 64


def test_the_largest_of_all():
    tree = Tree(3)
    for k, values in enumerate(([1.0, 5.0], [7.0, -1.0], [0.0, 4.0])):
        tree.put(0, k, (Largest(np.array(values)),))
    np.testing.assert_array_equal(tree.total()[0].array, [7.0, 5.0])
