"""Examples of pages run as in an interactive session: what they define is in ``__main__``, and pickles."""

import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def page_is_main(request, monkeypatch):
    names = request.node.dtest.globs

    def defined_on_the_page(name):
        try:
            return names[name]
        except KeyError:
            raise AttributeError(name) from None

    main = ModuleType("__main__")
    main.__getattr__ = defined_on_the_page
    monkeypatch.setitem(sys.modules, "__main__", main)
