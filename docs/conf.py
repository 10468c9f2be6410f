"""Sphinx configuration; ``make docs`` builds the site with warnings as errors, and without a network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inventories
import reference

import sklearn_losses

project = "sklearn_losses"
author = "the sklearn_losses developers"
project_copyright = f"2026, {author}"
version = release = sklearn_losses.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx-mathjax-offline",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "README.md"]
templates_path = ["_templates"]
default_role = "py:obj"
rst_prolog = ".. py:currentmodule:: sklearn_losses"
add_module_names = False
toc_object_entries_show_parents = "hide"

# kept in the repository, see inventories.py
intersphinx_mapping = inventories.mapping()

# the templates of the reference list the members, so numpydoc need not do it again
numpydoc_show_class_members = False
autodoc_typehints = "none"
reference.write_objective_page()
autosummary_context = reference.context()

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "ignore_pattern": r"run\.py",
    "within_subsection_order": "gallery.ReadingOrder",
    "minigallery_sort_order": "gallery.place",
    "reset_modules": ("gallery.set_style",),
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklearn_losses",),
    "reference_url": {"sklearn_losses": None},
    "image_srcset": ["2x"],
    "thumbnail_size": (400, 280),
    "show_memory": False,
    # the machine's times are not part of the site, and their table would load scripts from other hosts
    "min_reported_time": 3600,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_losses {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "api": [], "auto_examples/index": []},
    "show_prev_next": False,
    "navigation_depth": 2,
    "show_toc_level": 2,
}
# pages without others below them have nothing to list at their left
html_sidebars = {
    page: []
    for page in ("index", "getting_started", "which_loss", "changelog", "auto_examples/index", "search", "genindex")
}


def setup(app):
    app.connect("autodoc-process-docstring", reference.mend_docstring)
