from typing import ClassVar

from benchmark_utils.ours import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "sklearn_losses"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
