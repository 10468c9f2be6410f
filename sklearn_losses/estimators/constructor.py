"""What a constructor answers to a parameter that it does not have."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from inspect import signature

from ..losses import LOSSES

ELSEWHERE = {"C": ("alpha", "Its strength is alpha = 1 / (C * n), with n the sum of the sample weights.")}


def naming_unknown_parameters(init: Callable) -> Callable:
    """An ``__init__`` whose TypeError names the estimator's own class, and where the parameter is to be found."""
    known = signature(init)

    @wraps(init)
    def checked(self, *args, **parameters):
        try:
            known.bind(self, *args, **parameters)
        except TypeError as error:
            unknown = next((name for name in parameters if name not in known.parameters), "")
            advice = _advice(unknown, [*known.parameters][1:], self._domains)
            raise TypeError(f"{type(self).__name__}(): {error}. {advice}") from error
        init(self, *args, **parameters)

    return checked


def _advice(name: str, names: list[str], domains: tuple[str, ...]) -> str:
    instead, sentence = ELSEWHERE.get(name, ("", ""))
    if instead in names:
        return sentence
    having = [loss for loss in LOSSES if name in loss().get_params()]
    taken = [loss for loss in having if set(loss().domains) & set(domains)]
    of_losses = [loss.__name__ for loss in taken or having]
    if of_losses:
        return "It is a parameter of the loss: " + " or ".join(f"loss={loss}({name}=...)" for loss in of_losses) + "."
    near = get_close_matches(name, names, n=1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"The parameters are: {', '.join(names)}."
