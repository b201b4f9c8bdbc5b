"""The other side of the wall: the processes in which a learner's code runs. Imports `wire` and `values` alone."""
