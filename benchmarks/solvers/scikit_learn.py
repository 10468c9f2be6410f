from typing import ClassVar

from benchmark_utils.scikit_learn import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "scikit-learn"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
