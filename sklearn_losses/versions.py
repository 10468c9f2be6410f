"""The version of this package, and for bug reports what it runs with."""

import platform
import sys
from importlib.metadata import version

from .solvers.row_sweeps import AVAILABLE

__version__ = "0.1.0"

PACKAGES = ("numpy", "scipy", "scikit-learn", "threadpoolctl")


def show_versions() -> None:
    """Print the versions of Python and of the packages at work, and whether the compiled part is there.

    Without it, as after an installation where there was no compiler, everything works, but sparse data takes longer.

    Examples
    --------
    >>> from sklearn_losses import show_versions
    >>> show_versions()
    python: ...
    platform: ...
    sklearn_losses: ...
    compiled sweeps: ...
    numpy: ...
    scipy: ...
    scikit-learn: ...
    threadpoolctl: ...
    """
    found = {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "sklearn_losses": __version__,
        "compiled sweeps": "yes" if AVAILABLE else "no, there was no compiler when it was installed",
        **{name: version(name) for name in PACKAGES},
    }
    for name, what in found.items():
        print(f"{name}: {what}")
