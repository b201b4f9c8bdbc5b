"""Step 06 is judged against torch's table of positions, redrawn."""

import math
import re

from autograder.checking import check, mistake, variant
from autograder.comparing import close, drawn_normally, equal, fail, fits, load, make, raises, same_gradients

# A fresh table is so large that a standard deviation of 0.0202 is ten standard errors from 0.02.
HEIGHT, WIDTH = 251, 503
MOST = 12  # so many numbers may stand in a message: a list of all numbers names none


@check(
    passed="PositionEmbedding has one parameter, weight, of normal numbers with standard deviation 0.02",
    failed="PositionEmbedding does not have one parameter, weight, of normal numbers with standard deviation 0.02",
)
def has_its_parameter(student):
    import torch

    mine = make(student, "PositionEmbedding", HEIGHT, WIDTH)
    fits(mine, {"weight": torch.zeros(HEIGHT, WIDTH)}, says="a row for each position: [n_positions, n_embd]")
    weight = mine.weight
    close(weight, torch.zeros(HEIGHT, WIDTH), rtol=0, atol=math.inf)  # float32, whatever its numbers
    equal(weight.requires_grad, True, says="it is learned, so it is an nn.Parameter")
    drawn_normally(weight, 0.02)
    for row, spread in enumerate(weight.detach().std(dim=1).tolist()):
        if not 0.015 < spread < 0.025:  # eight standard errors
            fail("each row is drawn so", expected="a standard deviation of 0.02", got=f"{spread:.4g} in row {row}")
    first, second = (make(student, "PositionEmbedding", 7, 5).weight for _ in range(2))
    if torch.equal(first, second):
        fail("a second table has the same numbers: no seed is to be set, and each module makes a table of its own")


@check(
    passed="PositionEmbedding gives the first rows, one for each token",
    failed="PositionEmbedding does not give the first rows, one for each token",
)
def first_rows(student, oracle, draw):
    import torch

    rows, n_embd = draw.distinct(2, 12, 40)
    theirs = oracle.embedding(rows, n_embd)
    mine = make(student, "PositionEmbedding", rows, n_embd)
    for seq_len in (5, 1, rows - 1, rows):
        mine(seq_len)  # before the table has its numbers: rows that were kept from a call would show
    load(mine, theirs.state_dict())
    for seq_len in (5, 1, rows - 1, rows):
        close(mine(seq_len), theirs(torch.arange(seq_len)), rtol=0, atol=0)


@check(
    passed="after past_length tokens, it goes on from there",
    failed="after past_length tokens, it does not go on from there",
)
def later_rows(student, oracle, draw):
    import torch

    rows, n_embd = draw.distinct(2, 12, 40)
    theirs = oracle.embedding(rows, n_embd)
    mine = load(make(student, "PositionEmbedding", rows, n_embd), theirs.state_dict())
    for seq_len, past in ((3, 4), (1, 1), (2, 7), (1, rows - 1), (rows - 3, 3)):
        close(mine(seq_len, past), theirs(torch.arange(past, past + seq_len)), rtol=0, atol=0)
    load(make(student, "PositionEmbedding", rows, n_embd), oracle.embedding(rows, n_embd).state_dict())
    make(student, "PositionEmbedding", 2, 3)
    says = "two more modules were made after it: each has a table of its own, and that table's height"
    close(mine(3, 4), theirs(torch.arange(4, 7)), rtol=0, atol=0, says=says)
    mine.eval()
    close(mine(3, 4), theirs(torch.arange(4, 7)), rtol=0, atol=0, says="the module is in evaluation mode")


@check(
    passed="beyond n_positions it raises a ValueError that names both numbers",
    failed="beyond n_positions it does not raise a ValueError that names both numbers",
)
def refuses_beyond(student):
    mine = make(student, "PositionEmbedding", 13, 4)
    make(student, "PositionEmbedding", 5000, 4)  # another's height is no limit of this one
    # The first two are refused by whoever looks at one of the two lengths alone, or has a limit of 1,024.
    for seq_len, past in ((1100, 1100), (20, 14), (40, 0), (14, 0), (1, 13), (5, 9)):
        message = raises(
            lambda s=seq_len, p=past: mine(s, p),
            "ValueError",
            says=f"position {past + seq_len - 1} is asked for, and the last one is 12: that has to be an error",
        )
        numbers = [number.replace(",", "") for number in re.findall(r"\d{1,3}(?:,\d{3})+|\d+", message)]
        if len(numbers) > MOST:
            fail(
                "a message with two numbers is asked for, not one with all",
                expected=f"13 and {past + seq_len}",
                got=message,
            )
        if "13" in numbers:
            numbers.remove("13")  # n_positions; what is asked for may be the same number
        else:
            fail("n_positions is not in the message", expected="a message with 13", got=message)
        asked, end = {int(number) for number in numbers}, past + seq_len
        if not asked & {end, end - 1} and not {seq_len, past} <= asked:  # the end, the last position, or both terms
            fail("what was asked for is not in the message", expected=f"a message with {end}", got=message)
    mine.eval()
    raises(lambda: mine(5, 9), "ValueError", says="in evaluation mode, too")


@check(
    passed="PositionEmbedding's gradient is 0 in rows that were not used",
    failed="PositionEmbedding's gradient is not what its rows got",
)
def gradients_match(student, draw):
    import torch

    mine = make(student, "PositionEmbedding", 9, 4)
    for seq_len, past in ((3, 2), (4, 0), (2, 7), (9, 0)):
        back = draw.normal(seq=seq_len, n_embd=4)
        expected = torch.zeros(9, 4)
        expected[past : past + seq_len] = back
        got = mine.gradients(seq_len, past, output_gradient=back)
        same_gradients(got, back, parameters={"weight": expected}, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------------------- mistakes: the table

NUMBERS = "0.02 * torch.randn(n_positions, n_embd)"
MAKE = f"self.weight = nn.Parameter({NUMBERS})"
mistake(
    "table-turned",
    "torch.randn(n_positions, n_embd)",
    "torch.randn(n_embd, n_positions)",
    "The table is [n_embd, n_positions]. It has a row for each position: [n_positions, n_embd].",
)
mistake(
    "no-parameter",
    MAKE,
    f"self.weight = {NUMBERS}",
    "self.weight is a plain tensor, so nobody trains it. Do the arithmetic first, and wrap its result in nn.Parameter.",
    again=[(MAKE, "self.weight = 0.02 * nn.Parameter(torch.randn(n_positions, n_embd))")],
)
SINES = (
    "place = torch.arange(n_positions).unsqueeze(1) / 10000 ** (torch.arange(n_embd) // 2 * 2 / n_embd)\n"
    "        table = torch.where(torch.arange(n_embd) % 2 == 0, place.sin(), place.cos())\n"
)
mistake(
    "sines-as-a-buffer",
    MAKE,
    SINES + '        self.register_buffer("weight", table)',
    "The table is not trained: it asks for no gradient. GPT-2's positions are learned, so it is an nn.Parameter.",
    again=[(MAKE, f'self.register_buffer("weight", {NUMBERS})')],
)
mistake(
    "sines-as-a-start",
    MAKE,
    SINES + "        self.weight = nn.Parameter(table)",
    "The fresh table holds sines and cosines. GPT-2's starts from normal numbers and is learned.",
)
mistake(
    "standard-deviation-of-1",
    NUMBERS,
    "torch.randn(n_positions, n_embd)",
    "The numbers have a standard deviation of 1, as torch.randn draws them. 0.02 is asked for; "
    "in nn.init.normal_ it is the argument std, and the one before is the mean.",
    again=[
        (MAKE, "self.weight = nn.Parameter(torch.empty(n_positions, n_embd))\n        nn.init.normal_(self.weight)")
    ],
)
mistake(
    "standard-deviation-of-0-01",
    "0.02 * torch.randn",
    "0.01 * torch.randn",
    "The numbers have a standard deviation of 0.01, as in OpenAI's code. This course draws them with 0.02.",
)
mistake(
    "rand-for-randn",
    NUMBERS,
    "0.02 * torch.rand(n_positions, n_embd)",
    "The numbers lie evenly between 0 and 0.02: torch.rand draws uniform ones. torch.randn draws normal ones.",
)
mistake(
    "a-seed-of-its-own",
    MAKE,
    f"torch.manual_seed(0)\n        {MAKE}",
    "A seed is set where the table is made, so all tables begin with the same numbers. Whoever trains sets the seed.",
    again=[
        (
            NUMBERS,
            "0.02 * torch.randn(n_positions, n_embd, generator=torch.Generator().manual_seed(0))",
        )
    ],
)
mistake(
    "one-table-for-all",
    MAKE,
    "tables = vars(PositionEmbedding).get('tables') or {}\n        PositionEmbedding.tables = tables\n"
    f"        self.weight = tables.setdefault((n_positions, n_embd), nn.Parameter({NUMBERS}))",
    "Two modules of the same size have the same table. Each makes its own.",
)
mistake(
    "a-table-of-zeros",
    NUMBERS,
    "torch.zeros(n_positions, n_embd)",
    "All numbers of the fresh table are the same. Each is drawn by itself, from a normal distribution.",
    again=[(NUMBERS, "0.02 * torch.ones(n_positions, n_embd)")],
)
mistake(
    "an-embedding-inside",
    MAKE,
    "self.wpe = nn.Embedding(n_positions, n_embd)",
    "The table is inside a module of its own, so its name is not weight. Make self.weight, an nn.Parameter.",
    also=[
        ("n_positions = self.weight.shape[0]", "n_positions = self.wpe.weight.shape[0]"),
        ("return self.weight[past_length:end]", "return self.wpe.weight[past_length:end]"),
    ],
    again=[
        (MAKE, "self.wpe = nn.Embedding(n_positions, n_embd)\n        nn.init.normal_(self.wpe.weight, std=0.02)"),
        ("n_positions = self.weight.shape[0]", "n_positions = self.wpe.num_embeddings"),
        ("return self.weight[past_length:end]", "return self.wpe(torch.arange(past_length, end))"),
    ],
)

# ------------------------------------------------------------------------------------------- mistakes: the rows

END = "end = past_length + seq_len"
LOOK = "return self.weight[past_length:end]"
mistake(
    "positions-from-1",
    LOOK,
    "return self.weight[past_length + 1 : end + 1]",
    "The rows begin one too late. Positions count from 0: the first new one is past_length.",
    again=[(LOOK, "return torch.roll(self.weight, -1, 0)[past_length:end][: n_positions - 1 - past_length]")],
)
mistake(
    "past-length-ignored",
    LOOK,
    "return self.weight[:seq_len]",
    "past_length is not counted: the rows always begin at 0. After past_length tokens they begin at past_length.",
    again=[(LOOK, "return self.weight[torch.arange(seq_len)]")],
)
mistake(
    "past-length-not-in-the-end",
    END,
    "end = seq_len",
    "past_length is counted neither in the check nor in the rows. Add it to seq_len, and begin the rows there.",
    also=[(LOOK, "return self.weight[:end]")],
)
mistake(
    "ends-at-seq-len",
    LOOK,
    "return self.weight[past_length:seq_len]",
    "The rows end at seq_len. They begin at past_length, so they end at past_length + seq_len.",
)
mistake(
    "begins-at-0",
    LOOK,
    "return self.weight[:end]",
    "The rows begin at 0, so those of the earlier tokens come too. They begin at past_length.",
)
mistake(
    "no-end",
    LOOK,
    "return self.weight[past_length:]",
    "The rows go on to the table's end. There is one for each new token: seq_len of them.",
)
mistake(
    "last-rows",
    LOOK,
    "return self.weight[-seq_len:]",
    "These are the last rows of the table. Positions count from its beginning.",
)
mistake(
    "counted-from-the-end",
    LOOK,
    "return self.weight[past_length - n_positions : end - n_positions]",
    "The rows are counted from the table's end, and where the range ends there, no row is left. "
    "Count from the beginning.",
)
mistake(
    "one-row",
    LOOK,
    "return self.weight[end - 1]",
    "This is one row alone, without an axis for the tokens. There is a row for each of the seq_len tokens.",
)
mistake(
    "columns",
    LOOK,
    "return self.weight[:, past_length:end]",
    "The slice takes columns of the table. Positions are its rows, the first axis.",
)
mistake(
    "a-batch-axis",
    LOOK,
    LOOK + ".unsqueeze(0)",
    "The result has a batch axis. It is [seq_len, n_embd]: the sum with the token rows broadcasts it.",
    again=[(LOOK, "return self.weight[None, past_length:end]")],
)
mistake(
    "the-positions-themselves",
    LOOK,
    "return torch.arange(past_length, end)",
    "The positions themselves are returned. Their rows of the table are asked for.",
)
mistake(
    "times-the-root-of-n-embd",
    LOOK,
    LOOK + " * self.weight.shape[1] ** 0.5",
    "The rows are multiplied by the root of n_embd. GPT-2 takes them as they are.",
)
mistake(
    "scaled-in-forward",
    NUMBERS,
    "torch.randn(n_positions, n_embd)",
    "The table is drawn with a standard deviation of 1, and forward makes its rows small: those of a checkpoint would "
    "come out too small. Draw the table itself with 0.02.",
    also=[(LOOK, "return 0.02 * self.weight[past_length:end]")],
)
mistake(
    "no-gradient-to-the-table",
    LOOK,
    LOOK + ".detach()",
    "The rows are right, and cut off from the table: .data, .detach() and no_grad keep the gradient away.",
    again=[(LOOK, "return self.weight.data[past_length:end]")],
)
mistake(
    "row-0-for-padding",
    LOOK,
    "return nn.functional.embedding(torch.arange(past_length, end), self.weight, padding_idx=0)",
    "Row 0 gets no gradient: padding_idx keeps it away. Position 0 is a place like the others, and it is learned.",
)
mistake(
    "rows-kept-from-before",
    MAKE,
    MAKE + "\n        self.rows = {}",
    "Rows are kept from an earlier call, so the table's new numbers do not show after loading or training. "
    "Take them from self.weight in each call.",
    also=[
        (
            LOOK,
            (
                "if (past_length, seq_len) not in self.rows:\n"
                "            self.rows[past_length, seq_len] = self.weight[past_length:end].clone()\n"
                "        return self.rows[past_length, seq_len]"
            ),
        )
    ],
)
mistake(
    "counts-by-itself",
    MAKE,
    MAKE + "\n        self.seen = 0",
    "The module counts the tokens of its calls by itself. How many came before is told by past_length, in each call.",
    also=[(END, "past_length = self.seen\n        self.seen = end = past_length + seq_len")],
)
mistake(
    "forward-returns-nothing",
    LOOK,
    "self.weight[past_length:end]",
    "forward returns nothing: a return belongs in front of its last line.",
)

# ------------------------------------------------------------------------------------------- mistakes: the limit

GUARD = """        if end > n_positions:
            raise ValueError(f"{end} positions are asked for, and n_positions is {n_positions}")
"""
ASKS = "if end > n_positions:"
SAYS = 'f"{end} positions are asked for, and n_positions is {n_positions}"'
mistake(
    "no-super-init",
    "        super().__init__()\n",
    "",
    "__init__ does not begin with super().__init__(): it makes the places in which a module keeps what it is given.",
)
mistake(
    "no-check",
    GUARD,
    "",
    "Beyond the table there is no error: a slice returns what there is, fewer rows or none. "
    "Compare the end with n_positions first, and raise a ValueError.",
)
mistake(
    "rows-made-up",
    GUARD,
    "",
    "Beyond the table, rows of other positions are given. There are no rows there: raise a ValueError.",
    also=[(LOOK, "return self.weight[torch.arange(past_length, end) % n_positions]")],
    again=[
        (GUARD, ""),
        (LOOK, "return self.weight[torch.arange(past_length, end).clamp(max=n_positions - 1)]"),
    ],
)
mistake(
    "torchs-own-error",
    GUARD,
    "",
    "Beyond the table it is torch that complains, with an IndexError. Check the end before, and raise a ValueError "
    "that names both numbers.",
    also=[(LOOK, "return self.weight[torch.arange(past_length, end)]")],
    again=[(GUARD, ""), (LOOK, "return self.weight[list(range(past_length, end))]")],
)
mistake(
    "seq-len-alone-is-checked",
    ASKS,
    "if seq_len > n_positions:",
    "Only seq_len is compared with n_positions. The tokens before count too: compare past_length + seq_len.",
    again=[(ASKS, "if len(range(seq_len)) > len(self.weight):")],
)
mistake(
    "past-length-alone-is-checked",
    ASKS,
    "if past_length > n_positions:",
    "Only past_length is compared with n_positions. The new tokens count too: compare past_length + seq_len.",
)
mistake(
    "guard-turned",
    ASKS,
    "if end < n_positions:",
    "What fits into the table is refused. An end beyond n_positions is.",
)
mistake(
    "one-too-strict",
    ASKS,
    "if end >= n_positions:",
    "The last row is refused. The end may be as large as n_positions: it is one more than the last position.",
    again=[(ASKS, "if not end < n_positions:")],
)
mistake(
    "one-too-mild",
    ASKS,
    "if end - 1 > n_positions:",
    "One position too many is let through. The last position is n_positions - 1, and the end at most n_positions.",
    again=[(ASKS, "if end > n_positions + 1:")],
)
mistake(
    "limit-of-1024",
    ASKS,
    "if end > 1024:",
    "The limit is 1,024, GPT-2's, whatever the table is. It is the table's own height.",
)
mistake(
    "limit-on-the-class",
    MAKE,
    f"PositionEmbedding.n_positions = n_positions\n        {MAKE}",
    "n_positions is kept on the class, where the next module overwrites it. Each module has a limit of its own.",
    also=[("n_positions = self.weight.shape[0]", "n_positions = PositionEmbedding.n_positions")],
)
mistake(
    "limit-is-the-width",
    "n_positions = self.weight.shape[0]",
    "n_positions = self.weight.shape[1]",
    "The limit is the width of the table. It is its height, the first entry of self.weight.shape.",
)
mistake(
    "an-index-error",
    "raise ValueError",
    "raise IndexError",
    "The error is an IndexError. A ValueError is asked for.",
)
mistake(
    "an-assertion",
    GUARD,
    "        assert end <= n_positions\n",
    "The error is an AssertionError. Raise a ValueError that names both numbers.",
)
mistake(
    "no-f-before-the-text",
    SAYS,
    SAYS[1:],
    "The text has no f in front, so the names in braces stand there in place of the numbers.",
)
mistake(
    "a-message-without-numbers",
    SAYS,
    '"the sequence is too long"',
    "The message has no numbers. It names how many positions are asked for, and n_positions.",
)
mistake(
    "a-message-with-the-limit-alone",
    SAYS,
    'f"there are only {n_positions} positions"',
    "The message has n_positions alone. It also names how many positions are asked for.",
)
mistake(
    "a-message-with-the-new-tokens",
    SAYS,
    'f"{seq_len} positions are asked for, and n_positions is {n_positions}"',
    "The message counts the new tokens alone. What is compared with n_positions is past_length + seq_len.",
)
mistake(
    "a-message-with-the-end-alone",
    SAYS,
    'f"{end} positions are too many"',
    "The message lacks n_positions. It names how many positions are asked for, and how many there are.",
)

# ------------------------------------------------------------------------------------------------ other right ways

variant("arange", LOOK, "return self.weight[torch.arange(past_length, end)]")
variant("narrow", LOOK, "return self.weight.narrow(0, past_length, seq_len)")
variant("index-select", LOOK, "return self.weight.index_select(0, torch.arange(past_length, end))")
variant("torchs-lookup", LOOK, "return nn.functional.embedding(torch.arange(seq_len) + past_length, self.weight)")
variant(
    "one-hot", LOOK, "return nn.functional.one_hot(torch.arange(past_length, end), n_positions).float() @ self.weight"
)
variant("loop", LOOK, "return torch.stack([self.weight[i] for i in range(past_length, end)])")
variant("rolled", LOOK, "return torch.roll(self.weight, -past_length, dims=0)[:seq_len]")
variant("split", LOOK, "return self.weight.split([past_length, seq_len, n_positions - end])[1]")
variant("two-slices", LOOK, "return self.weight[past_length:][:seq_len].clone()")
variant(
    "sizes-kept",
    MAKE,
    "self.n_positions = n_positions\n        " + MAKE,
    also=[("n_positions = self.weight.shape[0]", "n_positions = self.n_positions")],
)
variant(
    "init-normal",
    MAKE,
    "self.weight = nn.Parameter(torch.empty(n_positions, n_embd))\n        nn.init.normal_(self.weight, std=0.02)",
)
variant(
    "built-on-an-embedding",
    "class PositionEmbedding(nn.Module)",
    "class PositionEmbedding(nn.Embedding)",
    also=[
        ("super().__init__()", "super().__init__(n_positions, n_embd)"),
        (MAKE, "nn.init.normal_(self.weight, std=0.02)"),
    ],
)
variant("last-position-named", SAYS, 'f"position {end - 1} is beyond n_positions={n_positions}"')
variant("terms-named", SAYS, 'f"past_length {past_length} + seq_len {seq_len} > {n_positions}"')
variant("numbers-as-arguments", SAYS, '"too many positions", end, n_positions')
variant("numbers-with-commas", SAYS, 'f"{end:,} positions of {n_positions:,}"')
variant(
    "error-of-its-own",
    "class PositionEmbedding",
    "class TooLong(ValueError):\n    pass\n\n\nclass PositionEmbedding",
    also=[("raise ValueError", "raise TooLong")],
)
variant(
    "error-turned",
    GUARD,
    "        try:\n            range(n_positions)[end - 1]\n"
    "        except IndexError as error:\n"
    '            raise ValueError("{} positions of {}".format(end, n_positions)) from error\n',
)
variant("last-position-checked", ASKS, "if not end - 1 < n_positions:")
