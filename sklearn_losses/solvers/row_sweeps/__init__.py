"""Coordinate sweeps over sparse rows, by a small compiled loop that an installation may be without."""

from .duals import AVAILABLE
from .newton_sweeps import newton_sweeps
from .sweeps import sweeps

__all__ = ["AVAILABLE", "newton_sweeps", "sweeps"]
