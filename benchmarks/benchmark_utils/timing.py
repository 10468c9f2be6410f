"""How long a function takes, where one run says little."""

from time import perf_counter

SHORT = 0.5  # seconds for which what takes milliseconds is repeated


def best_time(function, limit=float("inf")):
    """The shortest of three runs; of more while they are short, of fewer when one takes longer than the limit."""
    times = []
    while len(times) < 3 or (sum(times) < SHORT and len(times) < 200):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
        if times[-1] > limit:
            break
    return min(times)
