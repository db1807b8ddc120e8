#!/usr/bin/env python3
"""Draws what a benchmark measured: one panel a measure, one bar a program, as long as its median; a line from the lowest to the
highest turn.

    draw.py MEASURED.json PICTURE.svg
"""

import html
import json
import pathlib
import statistics
import sys

from measure import MEASURES

PANELS = [key for key in MEASURES if key != "rate"]
WIDTH, BAR, GAP, NAME, VALUE, HEAD = 430, 16, 6, 96, 70, 24
COLUMNS = 2
OURS, THEIRS, INK, PAPER = "#1f6f8b", "#b8bec4", "#22272b", "#ffffff"


def text(x, y, words, anchor="start", size=12, weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{INK}">{html.escape(words)}</text>'


def panel(x, y, key, turns):
    """One measure of all programs."""
    values = {name: [one[key] for one in all_] for name, all_ in turns.items()}
    highest = max(max(all_) for all_ in values.values()) or 1
    room = WIDTH - NAME - VALUE - 20
    out = [text(x, y + 14, MEASURES[key], weight="bold")]
    for number, (name, all_) in enumerate(values.items()):
        top = y + HEAD + number * (BAR + GAP)
        middle, median = top + BAR / 2, statistics.median(all_)
        left = x + NAME
        scale = room / highest
        out.append(text(left - 6, middle + 4, name, "end"))
        out.append(f'<rect x="{left}" y="{top}" width="{median * scale:.1f}" height="{BAR}" fill="{OURS if number == 0 else THEIRS}"/>')
        low, high = left + min(all_) * scale, left + max(all_) * scale
        out.append(f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{INK}" stroke-width="1.5"/>')
        out.append(text(left + max(median, max(all_)) * scale + 6, middle + 4, f"{median:,.1f}" if median < 100 else f"{median:,.0f}"))
    return "".join(out)


def main():
    measured, picture = map(pathlib.Path, sys.argv[1:])
    out, y = [], 10
    for head, turns in json.loads(measured.read_text()).items():
        out.append(text(10, y + 16, head, size=15, weight="bold"))
        y += 30
        height = HEAD + len(turns) * (BAR + GAP) + 14
        for number, key in enumerate(PANELS):
            out.append(panel(10 + number % COLUMNS * WIDTH, y + number // COLUMNS * height, key, turns))
        y += -(-len(PANELS) // COLUMNS) * height + 10
    width = COLUMNS * WIDTH + 20
    picture.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif">'
        f'<rect width="{width}" height="{y}" fill="{PAPER}"/>{"".join(out)}</svg>\n'
    )


if __name__ == "__main__":
    main()
