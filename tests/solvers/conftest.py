"""The tests of the compiled part are those of an installation that has it; `.ci/run` says which one that has to be."""

from sklearn_losses.solvers.row_sweeps import AVAILABLE

collect_ignore = [] if AVAILABLE else ["test_columns.py", "test_joint_sweeps.py", "test_sweeps.py"]
