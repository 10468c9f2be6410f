from typing import ClassVar

from benchmark_utils.skglm import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "skglm"
    requirements: ClassVar = ["pip::skglm"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
