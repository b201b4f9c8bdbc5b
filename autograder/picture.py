"""A terminal run as an SVG for the README: rich's own export, with fonts that every machine has."""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

# rich's own template loads its font from another host; this one asks for what is installed.
_TEMPLATE = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>A run of the autograder in a terminal</title>
<desc>The command for the first step, typed twice. The first time the file is the untouched stub, and each line of the
report begins with a cross; the second time it is filled in, and each line begins with a check mark.</desc>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def svg(runs: list[tuple[str, str]], title: str) -> str:
    """Return a picture of commands and what each printed, one below the other."""
    width = max(len(line) for _, output in runs for line in output.splitlines()) + 2
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, highlight=False)
    for index, (command, output) in enumerate(runs):
        if index:
            console.print()
        console.print(Text(f"$ {command}", style="bold cyan"))
        for line in output.rstrip("\n").split("\n"):
            console.print(Text(line), soft_wrap=True)
    return console.export_svg(title=title, code_format=_TEMPLATE, unique_id="run")
