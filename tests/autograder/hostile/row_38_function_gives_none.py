"""Has a function that makes nothing where a class is asked for."""


def LayerNorm(dim, *, eps=1e-5):
    pass
