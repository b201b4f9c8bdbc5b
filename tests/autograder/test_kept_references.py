"""A reference is made once for the same draw, and the draws go on from it as if it had been made again."""

from autograder.draw import Draw
from autograder.oracle import Oracle


def test_the_same_draw_gives_the_same_reference_and_the_same_draws_after_it():
    def drawn(check):
        draw = Draw("91c2", check)
        draw.integer(1, 9)
        reference = Oracle(draw).layer_norm(6, 1e-3)
        return reference, draw.integer(1, 10**9)

    first, after = drawn("one")
    again, after_again = drawn("one")
    assert again is first
    assert after_again == after
    other, after_other = drawn("two")
    assert other is not first
    assert after_other != after


def test_other_arguments_give_another_reference():
    values = Draw("91c2", "x").config()
    first = Oracle(Draw("91c2", "x")).mlp(values)
    assert Oracle(Draw("91c2", "x")).mlp(dict(values)) is first
    assert Oracle(Draw("91c2", "x")).mlp({**values, "n_inner": 81}) is not first
    assert Oracle(Draw("91c2", "x")).block(values) is not first
