"""An autograder that can be trusted: a judge that compares values, and a worker that runs the learner's file."""

__version__ = "0.1.0"
