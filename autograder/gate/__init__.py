"""The gate: what must hold of a step before a learner sees it. `autograder verify` runs it, one room a proof.

A proof is a function of a Stand that returns what it counted and what does not hold; `line.ROOMS` lists them all.
"""
