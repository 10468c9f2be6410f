"""Some tests are those of an installation with the compiled part; `.ci/run` says which one that has to be."""

from sklearn_losses.solvers.row_sweeps import AVAILABLE

collect_ignore = [] if AVAILABLE else ["test_joint_sweeping.py"]
