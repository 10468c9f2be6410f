from typing import ClassVar

from benchmark_utils.celer import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "celer"
    requirements: ClassVar = ["pip::celer"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
