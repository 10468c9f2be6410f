"""The check of the built site: each fault that it looks for is put into a small site, and found."""

import importlib
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"

GOOD = """
<p>See <a href="other.html#there"><code class="xref py py-obj">Huber</code></a> and <a href="https://numpy.org">NumPy</a>.</p>
<img src="curve.png" srcset="curve.png, curve.png 2.00x">
<ol class="arabic"><li>one</li></ol>
<code class="docutils literal">nothing to link</code>
"""


@pytest.fixture
def check(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(DOCS))
    module = importlib.import_module("check_site")
    monkeypatch.setattr(module, "SITE", tmp_path)
    yield module
    for name in ("check_site", "reference", "inventories"):
        sys.modules.pop(name, None)


def faults(check, tmp_path, body):
    """What the check says about a site of two pages and an image."""
    (tmp_path / "index.html").write_text(body, encoding="utf-8")
    (tmp_path / "other.html").write_text('<h1 id="there">Other</h1>', encoding="utf-8")
    (tmp_path / "curve.png").write_bytes(b"")
    pages = {page.name: page for page in map(check.Page, sorted(tmp_path.glob("*.html")))}
    return check.in_the_pages(pages)


def test_a_good_page_has_no_faults(check, tmp_path):
    assert faults(check, tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("other.html#there", "gone.html", "no page gone.html"),
        ("other.html#there", "other.html#gone", "no page other.html#gone"),
        ("curve.png 2.00x", "gone.png 2.00x", "no image gone.png"),
        ('class="arabic"', 'class="upperalpha simple"', "an initial became a numbered list"),
        ('class="docutils literal"', 'class="xref py py-obj docutils literal"', "'nothing to link' refers to nothing"),
    ],
)
def test_faults_of_pages_are_found(check, tmp_path, good, bad, fault):
    assert good in GOOD
    assert [found for found in faults(check, tmp_path, GOOD.replace(good, bad)) if fault in found]


def test_faults_of_the_reference_are_found(check, tmp_path):
    name = "sklearn_losses.Huber"
    ids = "".join(f'<p id="{name}.{method}"></p>' for method in check.reference.OF_A_LOSS)
    links = '<a href="../losses.html#huber">guide</a><a href="../auto_examples/plot_x.html">example</a>'
    folder = tmp_path / "generated"
    folder.mkdir()

    def found(html):
        file = folder / f"{name}.html"
        file.write_text(html, encoding="utf-8")
        page = check.Page(file)
        return [fault for fault in check.in_the_reference({page.name: page}) if name + ".html" in fault]

    assert found(ids + links) == []
    assert found(ids.replace("scorer", "score") + links) == [f"generated/{name}.html: no scorer"]
    assert found(ids + links.replace("losses.html", "gone.html")) == [
        f"generated/{name}.html: no link to the user guide"
    ]
    assert found(ids + links.replace("plot_x", "x")) == [f"generated/{name}.html: no example uses it"]


def test_the_reference_finds_its_names(check):
    objects = check.reference.public_objects()
    assert {"sklearn_losses.Huber", "sklearn_losses.check_loss", "sklearn_losses.activations.Sigmoid"} <= set(objects)
    methods = check.reference.public_methods(objects["sklearn_losses.SoftmaxClassifier"])
    assert {"fit", "predict", "predict_proba", "decision_function", "score", "objective", "get_params"} <= set(methods)
    assert {"__call__", "value", "gradient", "scorer"} <= set(
        check.reference.public_methods(objects["sklearn_losses.Huber"])
    )


def test_initials_are_no_lists(check):
    lines = ["S. Kullback and others", "    R. Koenker", "`Huber` and `nhev`."]
    check.reference.mend_docstring(None, "class", "sklearn_losses.KLDivergence", object, None, lines)
    assert lines == [r"\S. Kullback and others", r"    \R. Koenker", "`Huber <sklearn_losses.Huber>` and ``nhev``."]
