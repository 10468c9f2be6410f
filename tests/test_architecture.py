"""Imports run one way. The checks parse the source; each is shown to fail on a small tree that breaks it."""

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = "sklearn_losses"

# From the bottom up: a layer may import the layers above its own line in this table, never its neighbours.
LAYERS = (
    ("activations", "corrected_t", "solvers"),
    ("losses", "data"),
    ("objective",),
    ("certificates",),
    ("minimise",),
    ("estimators",),
    ("checks", "displays", "versions"),
    ("comparison",),
    ("path",),
    ("__init__",),
)
ALWAYS_INSTALLED = {"joblib", "numpy", "scipy", "sklearn", "threadpoolctl"}
EXTRAS = {"dask", "distributed", "h5py", "matplotlib", "pandas", "pyarrow", "rich", "zarr"}
SOLVERS_KNOW = {"numpy", "scipy"}
MAY_SEE_X = ("estimators", "checks", "comparison", "path")  # which take it from users
STORAGE = {"block.rows", "block.matrix", "rows.kept"}
OF_NUMPY = {"Array", "Indices"}  # short for the same thing everywhere
ROOMS_OF_NUMBERS = ("data", "objective", "solvers", "certificates", "minimise")
ASKS_FOR_STORAGE = ("issparse(", "isinstance(block", "isinstance(rows")


@dataclass(frozen=True)
class Import:
    """One name that one module imports, with relative imports resolved."""

    importer: str  # dotted name; a package counts as its __init__
    module: str  # the module that is imported from
    name: str  # the name taken from it, "" for a plain import
    when: str  # "start" of the importer, "call" of a function in it, or never, for the "types" only
    place: str

    @property
    def root(self) -> str:
        return self.module.split(".")[0]

    @property
    def path(self) -> list[str]:
        return [*self.module.split("."), self.name]


def modules(package: Path) -> dict[str, Path]:
    """Dotted names of all modules below a package's folder."""
    names = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts)] = file
    return names


@cache
def nodes_and_when(text: str) -> dict[ast.AST, str]:
    """All of a module's syntax, parsed once for all checks, and when each piece of it is run."""
    found: dict[ast.AST, str] = {}
    left: list[tuple[ast.AST, str]] = [(ast.parse(text), "start")]
    while left:
        node, when = left.pop()
        found[node] = when
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            when = "call"
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            when = "types"
        left += [(inner, when) for inner in ast.iter_child_nodes(node)]
    return found


def imports_of(file: Path, importer: str = "") -> Iterator[Import]:
    """Every import statement of a file, wherever it stands."""
    for node, when in nodes_and_when(file.read_text(encoding="utf-8")).items():
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        where = {"importer": importer, "when": when, "place": f"{file.name}:{node.lineno}"}
        for alias in node.names:
            if isinstance(node, ast.Import):
                yield Import(module=alias.name, name="", **where)
            else:
                yield Import(module=absolute(node, importer), name=alias.name, **where)


def absolute(node: ast.ImportFrom, importer: str) -> str:
    """The module that a ``from ... import`` names, without dots in front."""
    if node.level == 0:
        return node.module or ""
    parents = importer.split(".")[: -node.level]
    return ".".join([*parents, node.module] if node.module else parents)


def imports_within(package: Path) -> list[Import]:
    return [found for name, file in modules(package).items() for found in imports_of(file, name)]


def rank_of(module: str) -> int | None:
    """The line of LAYERS that a dotted name of the package belongs to."""
    layer = [*module.split("."), "__init__"][1]
    return next((rank for rank, names in enumerate(LAYERS) if layer in names), None)


def target_module(found: Import, known: dict[str, Path]) -> str:
    """The module of the package that an import loads: ``from .objective import rows`` may name either kind."""
    for candidate in (f"{found.module}.{found.name}", found.module):
        for name in (candidate, f"{candidate}.__init__"):
            if name in known:
                return name
    return found.module


def wrong_direction(package: Path) -> list[str]:
    known = modules(package)
    wrong = [f"{name}: no layer of LAYERS holds it" for name in known if rank_of(name) is None]
    for found in imports_within(package):
        if found.root != package.name:
            continue
        target = target_module(found, known)
        own, other = (".".join(name.split(".")[:2]) for name in (found.importer, target))
        if own != other and (rank_of(target) or 0) >= (rank_of(own) or 0):
            wrong.append(f"{found.place}: {own} imports {target}")
    return wrong


def solver_dependencies(package: Path) -> list[str]:
    wrong = []
    for found in imports_within(package):
        own = f"{package.name}.solvers"
        if not found.importer.startswith(own):
            continue
        if found.root not in SOLVERS_KNOW | sys.stdlib_module_names and not found.module.startswith(own):
            wrong.append(f"{found.place}: a solver imports {found.module}")
    return wrong


def undeclared_dependencies(package: Path) -> list[str]:
    wrong = []
    for found in imports_within(package):
        if found.root in ALWAYS_INSTALLED | {package.name} | sys.stdlib_module_names:
            continue
        if found.root not in EXTRAS:
            wrong.append(f"{found.place}: {found.root} is not a dependency")
        elif found.when == "start":
            wrong.append(f"{found.place}: {found.root} belongs to an extra, import it where it is used")
    return wrong


def private_modules(folder: Path) -> list[str]:
    wrong = []
    for file in sorted(folder.rglob("*.py")):
        for found in imports_of(file):
            private = [part for part in found.path if part.startswith("_") and not part.startswith("__")]
            if found.root in ALWAYS_INSTALLED and private:
                wrong.append(f"{found.place}: {'.'.join(found.path).rstrip('.')} is private")
        for node in nodes_and_when(file.read_text(encoding="utf-8")):
            if (
                isinstance(node, ast.Attribute)
                and re.match("_(?!_)", node.attr)
                and ast.unparse(node).startswith("sklearn.")
            ):
                wrong.append(f"{file.name}:{node.lineno}: {ast.unparse(node)} is private")
    return wrong


def import_cycles(package: Path) -> list[str]:
    known = modules(package)
    graph: dict[str, set[str]] = {name: set() for name in known}
    for found in imports_within(package):
        if found.root == package.name and found.when != "types":
            graph[found.importer].add(target_module(found, known))
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def rooms_without_an_idea(package: Path) -> list[str]:
    return [f"{file.name}: name the idea" for file in modules(package).values() if file.stem in {"utils", "helpers"}]


def numbers_without_a_line(package: Path) -> list[str]:
    """A number that has a name at the top of a file says beside it, or above, what it is and where it is from."""
    wrong = []
    for name, file in modules(package).items():
        if name.split(".")[1] not in ROOMS_OF_NUMBERS:
            continue
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if not isinstance(node, ast.Assign) or not ast.unparse(node.targets[0]).strip("()").isupper():
                continue
            constants = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            is_number = constants and all(isinstance(constant, int | float) for constant in constants)
            said = any("#" in line for line in lines[node.lineno - 1 : node.end_lineno])
            said = said or lines[node.lineno - 2].startswith("#") or isinstance(node.value, ast.Dict)
            if is_number and not said:
                wrong.append(f"{file.name}:{node.lineno}: say what {ast.unparse(node)} is")
    return wrong


def class_names_twice(package: Path) -> list[str]:
    """One word for one thing: no two public classes, or names of types, are alike."""
    places: dict[str, str] = {}
    wrong = []
    for file in modules(package).values():
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef | ast.Assign):
                continue
            name = node.name if isinstance(node, ast.ClassDef) else ast.unparse(node.targets[0])
            if not re.fullmatch("[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*", name) or name in OF_NUMPY:
                continue
            if name in places:
                wrong.append(f"{file.name}: {name} is also a class of {places[name]}")
            places[name] = file.name
    return wrong


def rows_seen_outside_data(package: Path) -> list[str]:
    """X after validation, how it is stored, and what is in a block are known in `data` alone."""
    allowed = {f"{package.name}.{room}" for room in MAY_SEE_X}
    wrong = []
    for name, file in modules(package).items():
        if name.startswith((f"{package.name}.data.", *allowed)):
            continue
        for node in nodes_and_when(file.read_text(encoding="utf-8")):
            if isinstance(node, ast.Attribute) and node.attr in ("X", "rows", "matrix", "kept"):
                text = ast.unparse(node)
                seen = node.attr == "X" or text in STORAGE
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                text = ast.unparse(node)
                seen = text.startswith(ASKS_FOR_STORAGE)
            else:
                continue
            if seen:
                wrong.append(f"{file.name}:{node.lineno}: {text} is the business of data")
        for found in imports_of(file, name):
            if found.module == "scipy.sparse" or (found.module, found.name) == ("scipy", "sparse"):
                wrong.append(f"{found.place}: scipy.sparse is the business of data")
    return wrong


CHECKS = (
    rows_seen_outside_data,
    wrong_direction,
    solver_dependencies,
    undeclared_dependencies,
    private_modules,
    import_cycles,
    rooms_without_an_idea,
    class_names_twice,
    numbers_without_a_line,
)


def test_package():
    for check in CHECKS:
        assert check(ROOT / NAME) == []


def test_tests_mirror_the_rooms():
    rooms = {folder.name for folder in (ROOT / NAME).iterdir() if (folder / "__init__.py").exists()}
    assert {file.parent.name for file in (ROOT / "tests").glob("*/test_*.py")} - {"by_hand"} == rooms


def test_nothing_private_around_the_package():
    for folder in ("tests", "examples", "benchmarks", "docs"):
        assert private_modules(ROOT / folder) == []


def test_import_works_without_the_extras():
    # scikit-learn imports pandas itself where it can, so looking at sys.modules says nothing: forbid them
    script = f"import sys; sys.modules.update(dict.fromkeys({sorted(EXTRAS)})); import {NAME}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


SOUND = {
    "__init__.py": "from .estimators import Fit",
    "activations.py": "import numpy as np",
    "losses/__init__.py": "from .base import Loss",
    "losses/base.py": "from sklearn.base import BaseEstimator\nfrom .metric import mean",
    "losses/metric.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .base import Loss",
    "solvers/__init__.py": "from .newton import newton",
    "solvers/newton.py": "import math\nfrom scipy.optimize import OptimizeResult\nfrom . import line_search",
    "solvers/line_search.py": "",
    "objective/__init__.py": "from .objective import Objective",
    "objective/objective.py": "from ..activations import Softmax\nfrom sklearn_losses.losses import Loss",
    "estimators.py": "from .objective import Objective\n\ndef frame():\n    import pandas",
}

BROKEN = [
    (rows_seen_outside_data, "objective/objective.py", "def f(rows):\n    return rows.X[:3]", "rows.X is the business"),
    (rows_seen_outside_data, "certificates/gap.py", "from scipy import sparse", "scipy.sparse is the business"),
    (rows_seen_outside_data, "minimise/fit.py", "def f(m):\n    return issparse(m)", "issparse(m) is the business"),
    (
        rows_seen_outside_data,
        "objective/kernels.py",
        "def f(block, np):\n    return isinstance(block, np.ndarray)",
        "isinstance(block, np.ndarray) is the business",
    ),
    (rows_seen_outside_data, "objective/kernels.py", "def f(block):\n    return block.matrix", "block.matrix is"),
    (wrong_direction, "losses/base.py", "from ..objective import Objective", "sklearn_losses.losses imports"),
    (wrong_direction, "losses/base.py", "def f():\n    from ..objective import objective", "imports"),
    (wrong_direction, "data/rows.py", "from .. import losses", "imports sklearn_losses.losses"),
    (
        wrong_direction,
        "objective/objective.py",
        "import sklearn_losses.estimators",
        "sklearn_losses.objective imports",
    ),
    (
        wrong_direction,
        "objective/objective.py",
        "from sklearn_losses import Fit",
        "imports sklearn_losses.__init__",
    ),
    (wrong_direction, "extras.py", "", "sklearn_losses.extras: no layer"),
    (
        solver_dependencies,
        "solvers/newton.py",
        "from ..losses import Loss",
        "a solver imports sklearn_losses.losses",
    ),
    (
        solver_dependencies,
        "solvers/newton.py",
        "from sklearn.utils import check_array",
        "a solver imports sklearn.utils",
    ),
    (undeclared_dependencies, "objective/objective.py", "import numba", "numba is not a dependency"),
    (undeclared_dependencies, "estimators.py", "import pandas as pd", "pandas belongs to an extra"),
    (
        private_modules,
        "losses/base.py",
        "from sklearn._loss import HalfBinomialLoss",
        "sklearn._loss.HalfBinomialLoss",
    ),
    (
        private_modules,
        "losses/base.py",
        "import sklearn.linear_model._base",
        "sklearn.linear_model._base is private",
    ),
    (
        private_modules,
        "losses/base.py",
        "from sklearn.utils.validation import _num_samples",
        "_num_samples is private",
    ),
    (
        private_modules,
        "losses/base.py",
        "import sklearn\nsklearn.utils._tags",
        "sklearn.utils._tags is private",
    ),
    (import_cycles, "solvers/line_search.py", "from .newton import newton", "line_search imports"),
    (import_cycles, "losses/base.py", "from . import __doc__", "losses.base imports"),
    (rooms_without_an_idea, "objective/utils.py", "", "utils.py: name the idea"),
    (
        class_names_twice,
        "activations.py",
        "class Loss:\n    pass\n\n\nclass Loss:\n    pass",
        "Loss is also a class of",
    ),
    (class_names_twice, "solvers/newton.py", "class Step:\n    pass\n\n\nStep = tuple[float, float]", "Step is also"),
    (numbers_without_a_line, "minimise/ends.py", "import math\nLIMIT, SHARE = 3, 2.0 * math.pi", "LIMIT, SHARE = "),
]


def plant(folder: Path, files: dict[str, str]) -> Path:
    package = folder / NAME
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    return package


@pytest.mark.parametrize("check", CHECKS)
def test_checks_accept_a_sound_tree(check, tmp_path):
    assert check(plant(tmp_path, SOUND)) == []


@pytest.mark.parametrize(("check", "file", "text", "message"), BROKEN)
def test_checks_see_what_is_broken(check, file, text, message, tmp_path):
    found = check(plant(tmp_path, SOUND | {file: text}))
    assert len(found) == 1
    assert message in found[0]
