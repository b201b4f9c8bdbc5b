"""Let GPT-2 continue a text: the GPT-2 of your own steps, with a checkpoint's weights, token by token."""

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from autograder import course as courses
from autograder.client import here, road
from autograder.errors import AutograderError, UsageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

    from playground.checkpoint import Settings
    from playground.learner import Learner

ROOT = Path(__file__).resolve().parent
TINY = "models/tiny-gpt2"
LONGEST_BYTES = 1 << 20  # of a prompt: no model of this course has so many positions
SMALL = 256  # of n_embd: a product of such matrices is done before a second thread is awake
INTERRUPTED = 130
EXAMPLES = f"""examples:
  pixi run gpt2 "The import system"                    your steps' GPT-2
  pixi run gpt2 --tree solutions "The import system"   the finished one
  pixi run gpt2 --chat                                 one text after the other
  pixi run gpt2 --model my-folder "Once upon a time"   a checkpoint in a folder
  pixi run gpt2 --model openai-community/gpt2 "Alan Turing"
                          the real weights: a download of 550 MB, once

Without a prompt, it is read from a pipe, or asked for. Without --model,
{TINY} is used, which comes with the course.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. `{road()} gpt2 --help` shows how")


class Talker(NamedTuple):
    """A model with its weights and its tokenizer."""

    learner: "Learner"
    model: "nn.Module"
    tokenizer: "Tokenizer"
    settings: "Settings"


def main(arguments: list[str] | None = None) -> int:
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        return run(parse(arguments))
    except AutograderError as error:
        if debug:
            traceback.print_exception(error)
        complain(error)
        return error.exit_code
    except ModuleNotFoundError as error:  # ours: the learner's are a sentence already
        print(f"{error}: run this as `pixi run gpt2`, or `./pixiw run gpt2`.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the shell's prompt gets a line of its own
        return INTERRUPTED


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="gpt2.py", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", help="the beginning of the text")
    parser.add_argument("--model", metavar="NAME_OR_FOLDER", help="a folder, or a name on the Hugging Face hub")
    parser.add_argument(
        "--tree", choices=("steps", "solutions"), default="steps", help="whose GPT-2: yours, or the finished one"
    )
    parser.add_argument(
        "--max-new-tokens", metavar="N", type=count, default=40, help="how far to go on (default: 40 tokens)"
    )
    parser.add_argument("--chat", action="store_true", help="ask for the next prompt; an empty line or Ctrl-D ends")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    options = parser.parse_intermixed_args(arguments)
    if options.model == "":
        parser.error("--model needs a folder or a name")
    return options


def count(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens: 0 or more")


def run(options: argparse.Namespace) -> int:
    shown = options.model or TINY
    if sys.stderr.isatty():  # a pipe gets no more than an error's sentence
        print(f"GPT-2 of {options.tree}/, weights of {shown}", file=sys.stderr, flush=True)
    talker, code = None, 0
    for prompt in prompts(options):
        try:
            if isinstance(prompt, UsageError):
                raise prompt
            if talker is None:
                talker = load(options, shown, prompt)
            speak(talker, prompt, options.max_new_tokens)
        except UsageError as error:
            if talker is None or not options.chat:
                raise
            complain(error)  # one bad line does not end a chat
            code = error.exit_code
    return code


def load(options: argparse.Namespace, shown: str, prompt: str) -> Talker:
    """Return what is needed to talk, the quick parts first: a wrong word is answered before torch is imported."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from playground import checkpoint, hub, text

    folder = hub.find_folder(options.model, here(), ROOT / TINY)
    settings = checkpoint.read_settings(folder, shown)
    checkpoint.find_weights(folder, shown)
    tokenizer = text.load(folder, shown)
    encode(tokenizer, settings, prompt)
    course = courses.load(ROOT)
    if options.tree == "solutions":
        course.require("finished code", "leave --tree out to hear your own")

    import torch

    from playground.learner import Learner

    if settings.seven["n_embd"] <= SMALL:
        torch.set_num_threads(1)
    learner = Learner(course, options.tree)
    return Talker(learner, learner.load(folder, settings.seven, shown), tokenizer, settings)


def encode(tokenizer: "Tokenizer", settings: "Settings", prompt: str) -> list[int]:
    from playground import text

    n_positions, vocab_size = int(settings.seven["n_positions"]), int(settings.seven["vocab_size"])
    return text.encode(tokenizer, prompt, n_positions=n_positions, vocab_size=vocab_size)


def speak(talker: Talker, prompt: str, max_new_tokens: int) -> None:
    """Print the prompt, and what the model makes of it, as it is made."""
    from playground import text

    ids = encode(talker.tokenizer, talker.settings, prompt)
    try:
        write(prompt)
        for piece in text.continuation(talker.tokenizer, ids, new_ids(talker, ids, max_new_tokens)):
            write(piece)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    finally:
        with contextlib.suppress(OSError):  # whoever read the output has gone; `main`'s caller hears of it
            write("\n")


def new_ids(talker: Talker, prompt_ids: list[int], limit: int) -> Iterator[int]:
    """Yield the ids that the learner's ``generate`` appends, up to the end of the text.

    It is asked for one at a time. Each of its tokens is a full pass anyway, so this is as fast as asking for all.
    """
    import torch

    ids = torch.tensor([prompt_ids])
    for _ in range(limit):
        token = talker.learner.next_token(talker.model, ids)
        if token in talker.settings.eos_token_ids:
            return
        yield token
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)


def write(text: str) -> None:
    if sys.stdout.isatty():
        from autograder.views.layout import printable

        text = "\n".join(map(printable, text.split("\n")))  # a model may write what a terminal would obey
    sys.stdout.write(text)
    sys.stdout.flush()


def prompts(options: argparse.Namespace) -> Iterator[str | UsageError]:
    """Yield the prompts; a UsageError in place of one that is no text."""
    if options.prompt:
        yield " ".join(options.prompt)
        if not options.chat:
            return
    if not options.chat and not sys.stdin.isatty():
        yield decoded(sys.stdin.buffer.read(LONGEST_BYTES + 1))
        return
    while True:
        line = ask()
        if options.chat and line == "":
            return
        yield line
        if not options.chat:
            return


def ask() -> str | UsageError:
    """Return a line of standard input; "" at its end."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 input() then has editing keys, and a history
        try:
            return input("prompt> ")
        except EOFError:
            print()
            return ""
    if sys.stdin.isatty():
        print("prompt> ", end="", file=sys.stderr, flush=True)
    return decoded(sys.stdin.buffer.readline(LONGEST_BYTES + 1))


def decoded(data: bytes) -> str | UsageError:
    if len(data) > LONGEST_BYTES:
        return UsageError(f"the prompt is too long: more than {LONGEST_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return UsageError(f"the prompt is not UTF-8 text: its byte {error.start + 1} is 0x{data[error.start]:02x}")


def complain(error: AutograderError) -> None:
    from autograder.views.plain import encodable

    print(encodable(f"gpt2: {error}", sys.stderr), file=sys.stderr, flush=True)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a model's characters in a console that cannot encode them
    try:
        sys.exit(main())
    except BrokenPipeError:  # `| head -1`: nobody reads on, and the interpreter's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
