#!/usr/bin/env python3
"""Indexes a million letters and asks ten thousand questions; and 200,000 letters beside notmuch on the same mails.

    search.py [--mails N] [--beside N] [--queries N] [--programs DIR] [--dry-run]

`archive-bench` makes the letters (German and English words by Zipf's law, over ten years) and the questions: words, two words, phrases,
beginnings, words of a sender, of a subject, without a word, one of two. Ours answer with the newest fifty, in the process that has the
archive open; notmuch's library with the newest fifty of its own order, asked from Debian's Python in one process too. CPU time, peak
memory and written bytes are what the kernel counted for the process. The table goes into docs/benchmarks.md, unless --dry-run
or other numbers are asked for.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from measure import MIB, ROOT, Process, archivista_version, circumstances, emptied, kept, write_page

# notmuch takes hours for a million.
MAILS, BESIDE, QUERIES, RANKED = 1_000_000, 200_000, 10_000, 1_000
NOTMUCH = """
import json, sys, time, notmuch2
times, found_by = [], []
with notmuch2.Database(sys.argv[1]) as database:
    for line in sys.stdin:
        query = line.rstrip("\\n").split("\\t")[1]
        began = time.perf_counter()
        found = 0
        for _ in database.messages(query, sort=database.SORT.NEWEST_FIRST):
            found += 1
            if found == 50:
                break
        times.append(round((time.perf_counter() - began) * 1e6))
        found_by.append(found)
print(json.dumps({"found": found_by, "microseconds": times}))
"""


class Bench:
    def __init__(self, programs, place):
        self.bench, self.place = programs / "archive-bench", place
        self.environment = {**os.environ, "NOTMUCH_CONFIG": str(place / "notmuch")}

    def measured(self, *command, stdin=subprocess.DEVNULL):
        """What it said, and wall and CPU seconds, peak MiB, MiB written."""
        os.sync()
        with open(self.place / "said", "w+", encoding="utf-8") as said, open(self.place / "wrong", "w+", encoding="utf-8") as wrong:
            process = Process(command, self.place / "counted", stdin=stdin, stdout=said, stderr=wrong, env=self.environment)
            code, wall, cpu, memory, written = process.end()
            if code:
                wrong.seek(0)
                raise SystemExit(f"{command} ended with {code}:\n{wrong.read()}")
            said.seek(0)
            lines = said.read().splitlines()
        print(command[0], command[1], f"{wall:.1f} s, {memory:.1f} MiB", flush=True)
        return lines[-1] if lines else "", wall, cpu, memory, written

    def fed(self, mails, *command):
        giver = subprocess.Popen([self.bench, "letters", str(mails), "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        result = self.measured(*command, stdin=giver.stdout)
        giver.stdout.close()
        if giver.wait():
            raise SystemExit("making the letters failed")
        return result

    def queries(self, count, mails):
        """Lines of so many questions about so many letters."""
        said = subprocess.run([self.bench, "queries", str(count), str(mails)], check=True, stdout=subprocess.PIPE, text=True).stdout
        return said.splitlines(keepends=True)

    def asked(self, queries, *command):
        with open(queries, encoding="utf-8") as given:
            said, _, _, memory, _ = self.measured(*command, stdin=given)
        return {**json.loads(said), "memory": memory}


def at(times, share):
    """Milliseconds that this share of them is under."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] / 1000


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mails", type=int, default=MAILS)
    arguments.add_argument("--beside", type=int, default=BESIDE, help="letters for both of them")
    arguments.add_argument("--queries", type=int, default=QUERIES)
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()
    with emptied("bench-search") as place:
        (place / "mail").mkdir()
        text = run(Bench(given.programs.resolve(), place), given, place)
    print(text)
    if not given.dry_run and (given.mails, given.beside, given.queries) == (MAILS, BESIDE, QUERIES):
        write_page("search", text)


class Ours:
    """An archive of so many letters that is indexed and asked."""

    def __init__(self, bench, place, mails, count, ranked=0):
        data, self.queries = place / "data", place / "queries"
        _, self.archiving, _, self.archive_memory, _ = bench.fed(mails, bench.bench, "archive", data, "--dated")
        _, self.indexing, self.cpu, self.memory, self.written = bench.measured(bench.bench, "index", data)
        self.text = json.loads(bench.measured(bench.bench, "text", data, "50")[0])["text"]
        self.size = kept(data / "search") * MIB
        queries = bench.queries(count, mails)
        self.queries.write_text("".join(queries), encoding="utf-8")
        self.asked = bench.asked(self.queries, bench.bench, "ask", data)
        if ranked:
            few = place / "few"
            few.write_text("".join(queries[:ranked]), encoding="utf-8")
            self.ranked = bench.asked(few, bench.bench, "ask", data, "--relevance")["microseconds"]
        shutil.rmtree(data)


def run(bench, given, place):
    notmuch = subprocess.run(["notmuch", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    # Before anybody changes a file.
    versions = [archivista_version(), notmuch]
    (place / "notmuch").write_text(f"[database]\npath={place / 'mail'}\n[new]\ntags=\nignore=\n[search]\nexclude_tags=\n[maildir]\nsynchronize_flags=false\n")
    many = Ours(bench, place, given.mails, given.queries, RANKED)
    ours = Ours(bench, place, given.beside, given.queries)
    bench.fed(given.beside, bench.bench, "maildir", place / "mail", "--plain")
    _, their_indexing, their_cpu, their_memory, their_written = bench.measured("notmuch", "new", "--quiet")
    their_size = kept(place / "mail" / ".notmuch") * MIB
    (place / "ask.py").write_text(NOTMUCH)
    theirs = bench.asked(ours.queries, "/usr/bin/python3", place / "ask.py", place / "mail")
    one, other = ours.asked["microseconds"], theirs["microseconds"]
    rows = [
        ("indexing (s)", ours.indexing, their_indexing, 1),
        ("CPU time of it (s)", ours.cpu, their_cpu, 1),
        ("peak memory of it (MiB)", ours.memory, their_memory, 1),
        ("written for it (MiB)", ours.written, their_written, 0),
        ("size of the index (MiB)", ours.size / MIB, their_size / MIB, 0),
        ("query, median (ms)", statistics.median(one) / 1000, statistics.median(other) / 1000, 2),
        ("query, p95 (ms)", at(one, 0.95), at(other, 0.95), 2),
        ("query, p99 (ms)", at(one, 0.99), at(other, 0.99), 2),
        ("query, longest (ms)", max(one) / 1000, max(other) / 1000, 1),
        ("peak memory of asking (MiB)", ours.asked["memory"], theirs["memory"], 1),
        ("documents on the pages", sum(ours.asked["found"]), sum(theirs["found"]), 0),
        ("questions without an answer", ours.asked["found"].count(0), theirs["found"].count(0), 0),
    ]
    all_of_them = many.asked["microseconds"]
    reached = [
        ("query, p95", at(all_of_them, 0.95), 20, " ms"),
        ("query, p99", at(all_of_them, 0.99), 60, " ms"),
        ("index, of the text in it", many.size / many.text, 1.0, ""),
        ("indexing, of the time of archiving", many.indexing / many.archiving, 1.0, ""),
        ("peak memory of indexing", many.memory, 64, " MiB"),
    ]
    lines = [f"{given.mails:,} letters, {many.text / 1e9:.2f} GB of text, {given.queries:,} questions:", ""]
    lines += ["| | measured | to reach | |", "|---|---:|---:|---|"]
    lines += [f"| {name} | {value:.2f}{unit} | {most:g}{unit} | {'reached' if value <= most else '*missed*'} |" for name, value, most, unit in reached]
    lines += [
        "",
        f"{many.asked['given_up']} of these questions were given up for want of memory or time. "
        f"Median {statistics.median(all_of_them) / 1000:.2f} ms, longest {max(all_of_them) / 1000:.0f} ms, {many.asked['memory']:.0f} MiB at most while asking. "
        f"By relevance, {RANKED:,} of these questions: median {statistics.median(many.ranked) / 1000:.1f} ms, p95 {at(many.ranked, 0.95):.1f} ms. "
        f"Archiving took {many.archiving:.0f} s and {many.archive_memory:.0f} MiB, indexing {many.indexing:.0f} s, of which {many.cpu:.0f} s of CPU time; "
        f"the index has {many.size / MIB:,.0f} MiB, and {many.written:,.0f} MiB were written for it.",
        "",
        f"{given.beside:,} letters, {ours.text / 1e9:.2f} GB of text, {given.queries:,} questions:",
        "",
        "| | archivista | notmuch | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name, mine, other, digits in rows:
        ratio = f"{mine / other:.2f}" if other else ""
        lines.append(f"| {name} | {mine:,.{digits}f} | {other:,.{digits}f} | {ratio} |")
    lines += ["", circumstances("bench-search", "BENCH", versions)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
