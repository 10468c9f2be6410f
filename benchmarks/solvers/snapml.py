from typing import ClassVar

from benchmark_utils.snapml import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "snapml"
    requirements: ClassVar = ["pip::snapml"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
