"""A source of rows that are somewhere else: kernels and their arguments arrive pickled, and rows are held in chunks."""

import pickle

import numpy as np

from sklearn_losses.data import PerRow, Rows
from sklearn_losses.data.in_memory import of_block, quietly
from sklearn_losses.data.sums import Tree


class Held(PerRow):
    """Parts by block; what is sent around is only the name."""

    def __init__(self, parts):
        self.parts = parts

    def gathered(self):
        return np.concatenate(self.parts)


class Elsewhere(Rows):
    """The rows of ``whole``, divided at ``edges``: a block belongs to the chunk that it begins in.

    What is no sum is done by the whole.
    """

    def __init__(self, whole, edges=(), seen=None):
        self.whole, self.edges = whole, edges
        self.seen = {} if seen is None else seen  # kernels, and how often each was sent
        self.n_rows, self.n_features, self.n_outputs = whole.n_rows, whole.n_features, whole.n_outputs
        self.n_entries, self.is_sparse, self.origin = whole.n_entries, whole.is_sparse, whole.origin
        self.lengths = whole.lengths
        self.meter, self.workers = whole.meter, whole.workers
        self.starts = [whole.where(number).start for number in range(whole.n_blocks)]

    def chunks(self):
        """The blocks of every chunk, the last chunk first."""
        blocks = range(self.whole.n_blocks)
        of_block = np.searchsorted(self.edges, self.starts, side="right")
        return [[number for number in blocks if of_block[number] == c] for c in reversed(range(len(self.edges) + 1))]

    def send(self, kernel, small):
        """What arrives on the other side; results that are held there are sent by name."""
        held = [argument for argument in small if isinstance(argument, Held)]
        small = [("held", held.index(a)) if isinstance(a, Held) else a for a in small]
        message = pickle.dumps((kernel, small))
        self.seen[kernel.__name__] = self.seen.get(kernel.__name__, 0) + 1
        kernel, small = pickle.loads(message)

        def at(number):
            here = [
                held[a[1]].parts[number] if isinstance(a, tuple) and a and isinstance(a[0], str) else a for a in small
            ]
            return quietly(kernel, self.whole.block(number), *of_block(here, number))

        return at

    def sum(self, kernel, *small, passes=1.0, entries=0):
        self.meter.count(self, passes)
        at, tree = self.send(kernel, small), Tree(self.whole.n_blocks)
        for numbers in self.chunks():
            part = Tree(self.whole.n_blocks)
            for number in numbers:
                part.put(0, number, at(number))
            tree.put_all(pickle.loads(pickle.dumps(part.nodes)))
        return tree.total()

    def each(self, kernel, *small, passes=1.0):
        self.meter.count(self, passes)
        at, parts, tree = self.send(kernel, small), [], Tree(self.whole.n_blocks)
        for number in range(self.whole.n_blocks):
            part, *sums = at(number)
            parts.append(part)
            tree.put(0, number, tuple(sums))
        return Held(parts), *tree.total()

    def spread(self, values):
        return Held(self.whole.spread(values).parts)

    def draw(self, size, random, chances=None):
        return self.whole.draw(size, random, chances)

    def statistics(self):
        return self.whole.statistics()

    def weights_of(self, indices):
        return self.whole.weights_of(indices)

    def targets_of(self, indices):
        return self.whole.targets_of(indices)

    def take(self, indices):
        return self.whole.take(indices)

    def csr(self):
        return None

    def columns(self, features):
        return Elsewhere(self.whole.columns(features), self.edges, self.seen)

    def inner_products(self, center):
        return self.whole.inner_products(center)

    def written(self, transform, indices=slice(None)):
        return self.whole.written(transform, indices)

    def with_features(self, features):
        return self.whole.with_features(features)

    def only(self, indices):
        return Elsewhere(self.whole.only(indices), (), self.seen)

    def with_weights(self, weights):
        return Elsewhere(self.whole.with_weights(weights), self.edges, self.seen)

    def with_targets(self, y, weights):
        return Elsewhere(self.whole.with_targets(y, weights), self.edges, self.seen)

    def unit(self):
        return Elsewhere(self.whole.unit(), self.edges, self.seen)

    def from_origin(self, origin):
        return Elsewhere(self.whole.from_origin(origin), self.edges, self.seen)
