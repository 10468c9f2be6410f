from typing import ClassVar

from benchmark_utils.glum import PEERS
from benchmark_utils.solver import LibrarySolver


class Solver(LibrarySolver):
    name = "glum"
    requirements: ClassVar = ["pip::glum"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
