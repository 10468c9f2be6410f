from typing import ClassVar

from benchmark_utils.solver import LibrarySolver
from benchmark_utils.statsmodels import PEERS


class Solver(LibrarySolver):
    name = "statsmodels"
    requirements: ClassVar = ["pip::statsmodels"]
    parameters: ClassVar = {"method": [peer.name for peer in PEERS]}
    peers = tuple(PEERS)
