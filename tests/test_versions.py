"""What `show_versions` says is what is installed."""

import platform

import numpy as np
import pytest
import sklearn

import sklearn_losses
from sklearn_losses import show_versions, versions


@pytest.mark.parametrize(("available", "answer"), [(True, "yes"), (False, "no, there was no compiler")])
def test_show_versions(capsys, monkeypatch, available, answer):
    monkeypatch.setattr(versions, "AVAILABLE", available)
    show_versions()
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert said["python"] == platform.python_version()
    assert said["numpy"] == np.__version__
    assert said["scikit-learn"] == sklearn.__version__
    assert said["sklearn_losses"] == sklearn_losses.__version__
    assert said["compiled sweeps"].startswith(answer)
