from typing import ClassVar

from benchmark_utils.rehline import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "ReHLine"
    requirements: ClassVar = ["pip::rehline"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
