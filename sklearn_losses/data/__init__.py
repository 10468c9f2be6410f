"""The rows of X, which nothing else touches: blocks that stay in cache, summed in a fixed order, in threads."""
