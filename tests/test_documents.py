"""What the documents say is run: README's code, the pages' examples, the verbs, the names, the versions."""

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import sklearn_losses
from sklearn_losses.losses import LOSSES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python_blocks(markdown: str) -> list[str]:
    """The fenced python blocks, each preceded by as many empty lines as stand before it in the file."""
    blocks = re.finditer(r"^```python\n(.*?)^```", markdown, flags=re.DOTALL | re.MULTILINE)
    return ["\n" * markdown[: block.start(1)].count("\n") + block[1] for block in blocks]


def make_verbs(text: str) -> set[str]:
    """Verbs of commands, in backticks or at the start of a line; "make sure" in a sentence is none."""
    return set(re.findall(r"(?:`|^[ $]*)make ([a-z]+)", text, flags=re.MULTILINE))


def sections(page: str) -> dict[str, str]:
    """The text below every title of a page, up to the next title."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    parts = re.split(r"^(.+)\n([-=^])\2+\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::3], parts[3::3], strict=True))


def floors() -> dict[str, str]:
    """The lowest versions that pyproject.toml allows, of what a user or a test installs."""
    extras = PROJECT["project"]["optional-dependencies"]
    lines = PROJECT["project"]["dependencies"] + [
        line for extra in ("plot", "frame", "progress", "test") for line in extras[extra]
    ]
    return dict(line.split(">=") for line in lines if ">=" in line)


@pytest.mark.parametrize(
    "block", python_blocks(README.read_text(encoding="utf-8")), ids=lambda block: block.count("\n")
)
def test_readme_runs(block, monkeypatch, tmp_path):
    """Every block for itself, as somebody copies it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    # as in an interactive session, so that classes defined on the way can be pickled
    session = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", session)
    exec(compile(block, str(README), "exec"), vars(session))


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the titles of a page, for links to them."""
    titles = re.findall(r"^(.+)\n(?:-{3,}|=+|\^{3,})$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_readme_links_lead_somewhere():
    links = re.findall(r"\]\(([^)\s]+)\)", README.read_text(encoding="utf-8"))
    for link in links:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).is_file(), link
        assert not anchor or anchor in anchors(ROOT / path), link


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_readme_links_every_loss_to_its_section(loss):
    name = loss.__name__
    assert re.search(rf"\[`{name}\(.*?\)`\]\(docs/losses.rst#{name.lower()}\)", README.read_text(encoding="utf-8"))


def test_readme_commands_name_files_that_are_there():
    commands = re.findall(r"^\.venv/bin/python (\S+) (\w+)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands
    for script, example in commands:
        assert (ROOT / script).is_file()
        assert (ROOT / "examples" / f"{example}.py").is_file()


EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_examples_end_with_an_answer(example):
    text = example.read_text(encoding="utf-8")
    last = text.rpartition("# %%\n")[2]
    assert re.search(r"# \*\*[^*]+\?\*\* \w", last.replace("\n# ", " ").replace("#  ", "# "))
    order = (ROOT / "docs" / "gallery.py").read_text(encoding="utf-8")
    assert f'"{example.stem}"' in order


@pytest.mark.parametrize("document", [README, *sorted((ROOT / "docs").glob("*.rst"))], ids=lambda path: path.name)
def test_verbs_exist(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = make_verbs(document.read_text(encoding="utf-8"))
    assert verbs <= set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split())
    assert all(re.search(rf"^{verb}:", makefile, flags=re.MULTILINE) for verb in verbs)


def test_readme_names_the_two_commands():
    assert {"demo", "test"} <= make_verbs(README.read_text(encoding="utf-8"))


def test_examples_of_pages_and_docstrings_are_collected():
    options = PROJECT["tool"]["pytest"]["ini_options"]
    assert {"docs", "sklearn_losses"} <= set(options["testpaths"])
    assert {"--doctest-modules", "--doctest-glob=*.rst"} <= set(options["addopts"])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_every_loss_has_its_section(loss):
    section = sections("losses.rst")[loss.__name__]
    assert f":Class: `{loss.__name__}`" in section
    for name in LOSSES[loss]:
        assert f'``"{name}"``' in section
    for field in "Defined on", "Value", "Derivative", "Use", "Source":
        assert f":{field}:" in section
    assert ">>> " in section


def test_reference_lists_every_public_name():
    listed = set((ROOT / "docs" / "api.rst").read_text(encoding="utf-8").split())
    assert set(sklearn_losses.__all__) - {"__version__"} <= listed


def test_changelog_begins_with_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, flags=re.MULTILINE)[1] == sklearn_losses.__version__


def test_the_oldest_versions_are_the_ones_that_are_tested():
    pinned = dict(re.findall(r"([\w-]+)==([\d.]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8")))
    for name, floor in floors().items():
        assert f"{pinned[name]}.".startswith(f"{floor}."), name


def test_readers_see_what_is_there():
    markdown = "text\n\n```python\nx = 1\n```\n\n```bash\nmake demo\n```\n\n```python\ny = x\n```\n"
    assert [block.strip() for block in python_blocks(markdown)] == ["x = 1", "y = x"]
    assert python_blocks(markdown)[0].splitlines().index("x = 1") == markdown.splitlines().index("x = 1")
    assert make_verbs(markdown) == {"demo"}
    assert make_verbs("Run `make test`, to make sure.") == {"test"}


def test_contributing_names_what_there_is():
    """Every file, folder and name in it that has code's look."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    written = set(re.findall(r"`([^`]+)`", text.replace("```", "")))
    paths = {word for word in written if re.fullmatch(r"[\w/.]+(/|\.py|\.rst)", word)}
    known = [ROOT, ROOT / "sklearn_losses", *(ROOT / "sklearn_losses").iterdir()]
    assert {path for path in paths if not any((folder / path).exists() for folder in known)} == set()
    code = "\n".join(
        file.read_text(encoding="utf-8") for file in (*ROOT.glob("sklearn_losses/**/*.py"), *ROOT.glob("tests/**/*.py"))
    )
    names = {word for word in written if re.fullmatch(r"[A-Z]\w+|[a-z]+(_[a-z]+)+", word)}
    assert {name for name in names if not re.search(rf"^\s*(class |def )?{name}\b", code, re.MULTILINE)} == set()
    assert len(paths) > 20 and len(names) > 10
