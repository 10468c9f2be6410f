"""Coordinate sweeps over sparse rows, by small compiled loops that an installation may be without."""

from .duals import AVAILABLE
from .joint_sweeps import joint_sweeps
from .newton_sweeps import newton_sweeps
from .sweeps import sweeps

__all__ = ["AVAILABLE", "joint_sweeps", "newton_sweeps", "sweeps"]
