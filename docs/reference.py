"""What the reference lists: the public names, the methods of each, and where the user guide explains it."""

from __future__ import annotations

import inspect
import re
from functools import cache
from operator import attrgetter
from pathlib import Path

import sklearn_losses
import sklearn_losses.activations
import sklearn_losses.solvers

DOCS = Path(__file__).parent
OTHERS = ("sklearn.", "numpy.", "scipy.", "pandas.", "joblib.")

# What one calls on a loss. The other methods of `Loss` are for those who write one, and stand on its own page.
OF_A_LOSS = ("__call__", "value", "gradient", "curvature", "scorer", "get_params", "set_params")
OF_THE_OBJECTIVE = ("value", "value_and_gradient", "hessian_product", "pack", "unpack")
FIRST = (
    *("fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score", "objective"),
    *("__call__", "value", "gradient", "curvature", "scorer"),
)

# Where the user guide explains what stands in a section of the reference; a loss has a section there of its own name.
GUIDE = {
    "Comparing losses": "comparing",
    "Displays": "displays",
    "A loss of one's own": "own-loss",
    "Activations": "derivations",
    "Objective and solvers": "own-solver",
    "Estimators": "objective",
    "Margin softmax on cosines": "margin-softmax",
    "What is installed": "getting-started",
}


@cache
def sections() -> dict[str, str]:
    """Every name that stands in a table of the reference, with the title of its section."""
    parts = re.split(r"^(.+)\n-{3,}\n", (DOCS / "api.rst").read_text(encoding="utf-8"), flags=re.MULTILINE)
    table = re.compile(r"^\.\. autosummary::\n(?: +:.*\n)+\n((?: +\S+\n)+)", flags=re.MULTILINE)
    return {
        f"sklearn_losses.{name}": title
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
        for names in table.findall(text)
        for name in names.split()
    }


@cache
def public_objects() -> dict[str, object]:
    """Every name of the reference, with what it names."""
    return {name: attrgetter(name.partition(".")[2])(sklearn_losses) for name in sections()}


def public_methods(cls: type) -> list[str]:
    """The methods that a user calls, inherited ones too: first the usual ones, then ours, then scikit-learn's."""
    is_loss = issubclass(cls, sklearn_losses.Loss) and cls is not sklearn_losses.Loss
    methods = [
        name
        for name in dir(cls)
        if (name in OF_A_LOSS if is_loss else name == "__call__" or not name.startswith("_"))
        if inspect.isroutine(getattr(cls, name))
    ]

    def place(name: str) -> tuple:
        owner = next((base for base in cls.__mro__ if name in vars(base)), cls)
        rank = FIRST.index(name) if name in FIRST else len(FIRST)
        return rank, not owner.__module__.startswith("sklearn_losses"), name

    return sorted(methods, key=place)


def target_of(text: str, where: str) -> str | None:
    """The full name of what a reference in the docstring of ``where`` means, if that has a page."""
    if text.startswith(OTHERS):
        return text
    objects = public_objects()
    for candidate in (text, f"sklearn_losses.{text}", f"{where}.{text}", f"{where.rpartition('.')[0]}.{text}"):
        owner, _, method = candidate.rpartition(".")
        if candidate in objects or (inspect.isclass(objects.get(owner)) and method in public_methods(objects[owner])):
            return candidate
    return None


def guide_label(name: str) -> str:
    """The label of the user guide's section on a public name."""
    label = f"loss-{name.rpartition('.')[2].lower()}"
    if f".. _{label}:" in (DOCS / "losses.rst").read_text(encoding="utf-8"):
        return label
    return GUIDE.get(sections()[name], "losses")


def context() -> dict[str, dict]:
    """What the templates of autosummary look up."""
    objects = public_objects()
    for found in objects.values():
        # the base class has no such method whose docstring could be inherited
        if inspect.isroutine(curvature := getattr(found, "curvature", None)) and not curvature.__doc__:
            curvature.__doc__ = "The elementwise second derivative in the prediction, of the prediction's shape."
    return {
        "public_methods": {name: public_methods(found) for name, found in objects.items() if inspect.isclass(found)},
        "guide": {name: guide_label(name) for name in objects},
    }


def objective_page() -> str:
    """The page on what ``estimator.objective(X, y)`` returns; its class has no public name of its own."""
    objective = type(sklearn_losses.LinearRegressor().objective([[0.0], [1.0]], [0.0, 1.0]))
    lines = [
        "Objective",
        "=========",
        "",
        "What ``estimator.objective(X, y)`` returns: the function that ``fit`` would minimise on these data, of one",
        "flat vector ``theta`` that holds the coefficients, row by row, and then the intercepts. ``n_parameters`` is",
        "its length. The :ref:`user guide <objective-in-your-hands>` says more.",
        "",
        f".. currentmodule:: {objective.__module__}",
        "",
        *(f".. automethod:: {objective.__qualname__}.{name}\n" for name in OF_THE_OBJECTIVE),
    ]
    return "\n".join(lines)


def write_objective_page() -> None:
    """Put the page where autosummary puts the others."""
    file = DOCS / "generated" / "objective.rst"
    file.parent.mkdir(exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != objective_page():
        file.write_text(objective_page(), encoding="utf-8")


def mend_docstring(app, what, name, obj, options, lines) -> None:
    """Docstrings as they are meant, where reStructuredText or inheritance would have it otherwise."""
    # an initial at the start of a line would begin an enumerated list: "S. Kullback and R. A. Leibler"
    lines[:] = [re.sub(r"^(\s*)([A-Z]\. )", r"\1\\\2", line) for line in lines]
    # single backticks are references for us; what names nothing public, or is scikit-learn's, is literal text
    theirs = getattr(obj, "__module__", "").startswith("sklearn.")

    def reference(found):
        text = found[1].removeprefix("~")
        target = None if theirs else target_of(text, name)
        shown = text.rpartition(".")[2] if found[1].startswith("~") else text
        return f"``{shown}``" if target is None else f"`{shown} <{target}>`"

    lines[:] = [re.sub(r"(?<![`:\w])`(~?[\w.]+)`(?![`_])", reference, line) for line in lines]
