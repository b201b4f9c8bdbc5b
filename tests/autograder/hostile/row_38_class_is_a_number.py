"""Has a number where a class is asked for."""

LayerNorm = 5
