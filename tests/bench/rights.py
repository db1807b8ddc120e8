#!/usr/bin/env python3
"""What the time of a search tells somebody who may read one mailbox of two hundred.

    rights.py [--mails N] [--queries N] [--programs DIR] [--dry-run]

The letters and questions are those of search.py. A question that finds nothing in that mailbox and something in others is asked as
who may read that mailbox only, and so is the same question of words that are nowhere; the two in turn, whichever first. How well one time
tells them apart is the probability that the first took longer (ties count half): 0.5 tells nothing, 1 everything. The same is said of the
CPU time of the questions, which is what would be learnt if no step were waited for. The table goes into docs/benchmarks.md, unless --dry-run
or other numbers are asked for.
"""

import argparse
import pathlib
import random
import re
import statistics
import sys

from measure import ROOT, archivista_version, circumstances, emptied, write_page
from search import Bench, at

MAILS, QUERIES = 200_000, 4_000
MAILBOX = "person0@muster.example"
# `SEARCH_STEP` and `SEARCH_STEP_RANKED` of `archivista::limits`, in microseconds.
STEP, RANKED_STEP = 25_000, 100_000


def nowhere(question):
    """The same question of words that are in no letter."""
    return " ".join(word if word == "or" or word.startswith("from:") else re.sub(r"(\w)(?=\W*$)", r"\1qxj", word) for word in question.split(" "))


def told_apart(longer, shorter):
    """The probability that one of `longer` is longer than one of `shorter`."""
    ordered = sorted([(time, 1) for time in longer] + [(time, 0) for time in shorter])
    ranks, begin = 0.0, 0
    while begin < len(ordered):
        end = begin
        while end < len(ordered) and ordered[end][0] == ordered[begin][0]:
            end += 1
        # Those of one time share the middle of their ranks, which count from 1.
        ranks += sum(kind for _, kind in ordered[begin:end]) * (begin + 1 + end) / 2
        begin = end
    return (ranks - len(longer) * (len(longer) + 1) / 2) / (len(longer) * len(shorter))


def steps(step, times):
    """Shares of one step, two, three and more."""
    counted = [min(time // step, 3) for time in times]
    return " / ".join(f"{counted.count(number) / len(counted):.3f}" for number in (1, 2, 3))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mails", type=int, default=MAILS)
    arguments.add_argument("--queries", type=int, default=QUERIES)
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()
    with emptied("bench-rights") as place:
        text = run(Bench(given.programs.resolve(), place), given, place)
    print(text)
    if not given.dry_run and (given.mails, given.queries) == (MAILS, QUERIES):
        write_page("rights", text)


def run(bench, given, place):
    # Before anybody changes a file.
    versions = [archivista_version()]
    data = place / "data"
    bench.fed(given.mails, bench.bench, "archive", data, "--dated")
    bench.measured(bench.bench, "index", data)
    questions = list(dict.fromkeys(line.split("\t")[0] for line in bench.queries(given.queries, given.mails)))

    def ask(asked, *options):
        (place / "asked").write_text("".join(f"{question}\n" for question in asked), encoding="utf-8")
        return bench.asked(place / "asked", bench.bench, "ask", data, *options)

    of_all, of_reader = ask(questions)["found"], ask(questions, "--reader", MAILBOX)["found"]
    foreign = [question for question, all_, own in zip(questions, of_all, of_reader) if all_ and not own]
    chance = random.Random(9)
    pairs = [pair if chance.random() < 0.5 else pair[::-1] for pair in ((question, nowhere(question)) for question in foreign)]
    turns = [question for pair in pairs for question in pair]
    is_foreign = set(foreign)

    rows = []
    for name, step, *options in (("newest first", STEP), ("by relevance", RANKED_STEP, "--relevance")):
        result = ask(turns, "--reader", MAILBOX, *options)
        if any(result["found"]):
            raise SystemExit("somebody found what they may not read")

        def divided(measure):
            others, none = [], []
            for question, time in zip(turns, result[measure]):
                (others if question in is_foreign else none).append(time)
            return others, none

        times, ran = divided("microseconds"), divided("ran")
        told = told_apart(*times), told_apart(*ran)
        for whose, time, cpu in zip(("in others' mails", "nowhere"), times, ran):
            rows.append(
                f"| {name}, {whose} | {statistics.median(time) / 1000:.2f} | {at(time, 0.99):.1f} | {steps(step, time)} | {told[0]:.3f} "
                f"| {statistics.median(cpu) / 1000:.2f} | {at(cpu, 0.99):.1f} | {told[1]:.3f} |"
            )
    lines = [
        f"{given.mails:,} letters in 200 mailboxes, {len(foreign):,} questions that find nothing in one of them and something in others:",
        "",
        "| | time, median (ms) | p99 (ms) | 1 / 2 / more steps | told apart | CPU time, median (ms) | p99 (ms) | told apart by it |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
        circumstances("bench-rights", "BENCH", versions),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
