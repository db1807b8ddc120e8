#!/usr/bin/env python3
"""Fetches the same mailbox with `archivista fetch` and with mbsync, in turns, from one Dovecot over TLS to one disk.

    fetch.py [--rounds N] [--mails N] [--small] [--only TOOL] [--no-big] [--dry-run]

Every turn starts with an empty target. mbsync runs as it does by default: FSync on. Time is measured from start to end of
the process; CPU time, peak memory and written bytes are what the kernel counted for it (GNU time). The table goes into
docs/benchmarks.md, unless --dry-run, --only or --no-big leave a part of it out.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))
import sample_mails  # noqa: E402
from mail_server import PASSWORD, MailServer  # noqa: E402

USER, BIG_USER = "test@mymail.ch", "big@mymail.ch"
BIG = 150_000_000
MIB = 1 << 20
PAGE = ROOT / "docs" / "benchmarks.md"
TOOLS = ["archivista", "mbsync"]


@dataclasses.dataclass
class Turn:
    wall: float  # seconds
    cpu: float  # seconds
    memory: float  # MiB
    written: float  # MiB
    disk: float  # MiB


MEASURES = {
    "wall": "time (s)",
    "cpu": "CPU time (s)",
    "memory": "peak memory (MiB)",
    "written": "written to disk (MiB)",
    "disk": "kept on disk (MiB)",
}


class Archivista:
    program = ROOT / "target" / "release" / "archivista"

    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        definition = target / "bench.toml"
        definition.write_text(self.server.definition("bench", self.user))
        subprocess.run([self.program, "--data", target / "data", "source", "add", definition], check=True)
        return [self.program, "--data", target / "data", "fetch", "--json"]

    def count(self, target):
        listed = subprocess.run([self.program, "--data", target / "data", "list", "--json"], check=True, stdout=subprocess.PIPE)
        return sum(len(json.loads(line)["occurrences"]) for line in listed.stdout.splitlines())

    @classmethod
    def version(cls):
        commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], check=False, stdout=subprocess.PIPE, text=True)
        return f"archivista {commit.stdout.strip()}"


class Mbsync:
    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        configuration = target / "mbsyncrc"
        configuration.write_text(f"""\
IMAPAccount bench
Host localhost
Port {self.server.tls_port}
User {self.user}
Pass {PASSWORD}
SSLType IMAPS
CertificateFile {self.server.ca_file}

IMAPStore far
Account bench

MaildirStore near
Path {target}/data/
Inbox {target}/data/INBOX
SubFolders Verbatim

Channel bench
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
SyncState *
""")
        (target / "data").mkdir()
        return ["mbsync", "--quiet", "--config", configuration, "--all"]

    def count(self, target):
        return sum(1 for place in ("cur", "new") for _ in (target / "data" / "INBOX" / place).iterdir())

    @classmethod
    def version(cls):
        return subprocess.run(["mbsync", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def turn(tool, place, expected):
    """One fetch into an empty target; all messages have to arrive."""
    target = place / "target"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    command = tool.prepare(target)
    # What was written before must not be waited for by the one who syncs next.
    os.sync()
    counted = place / "counted"
    started = time.perf_counter()
    # GNU time is small: the peak of a process begins with the memory of the one that started it.
    done = subprocess.run(
        ["time", "--quiet", "-f", "%U %S %M %O", "-o", counted, *command],
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}")
    user, system, memory, blocks = counted.read_text().split()
    kept = sum(path.lstat().st_blocks * 512 for path in (target / "data").rglob("*"))
    if tool.count(target) != expected:
        raise SystemExit(f"{command[0]} fetched {tool.count(target)} of {expected} messages")
    shutil.rmtree(target)
    return Turn(wall, float(user) + float(system), int(memory) / 1024, int(blocks) * 512 / MIB, kept / MIB)


def rounds(tools, place, expected, count):
    """`count` turns of every tool, alternating, after one of each that is not counted: it warms the server's caches."""
    turns = {name: [] for name in tools}
    for number in range(count + 1):
        for name, tool in tools.items():
            result = turn(tool, place, expected)
            print(f"{'warm-up' if number == 0 else number}\t{name}\t{result}", flush=True)
            if number:
                turns[name].append(result)
    return turns


def table(turns):
    median = {name: {key: statistics.median(getattr(one, key) for one in all_) for key in MEASURES} for name, all_ in turns.items()}
    compare = len(turns) == 2
    lines = ["| | " + " | ".join(turns) + (" | ratio |" if compare else " |"), "|---|" + "---:|" * (len(turns) + compare)]
    for key, label in MEASURES.items():
        cells = []
        for name, all_ in turns.items():
            values = [getattr(one, key) for one in all_]
            digits = 2 if key in ("wall", "cpu") else 1
            cells.append(f"{median[name][key]:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})")
        if compare:
            ours, theirs = (median[name][key] for name in turns)
            cells.append(f"{ours / theirs:.2f}" if theirs else "")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def filesystem(place):
    found = subprocess.run(["stat", "-f", "-c", "%T", place], check=True, stdout=subprocess.PIPE, text=True)
    return found.stdout.strip()


def write_page(text):
    """Replaces what stands between the markers."""
    start, end = "<!-- fetch: start -->\n", "<!-- fetch: end -->\n"
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(start)
    _, tail = rest.split(end)
    PAGE.write_text(head + start + text + end + tail, encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--mails", type=int, default=1000)
    arguments.add_argument("--small", action="store_true", help="text only")
    arguments.add_argument("--only", choices=TOOLS)
    arguments.add_argument("--no-big", action="store_true", help="leave out the one large message")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()

    kinds = {"archivista": Archivista, "mbsync": Mbsync}
    chosen = {name: kinds[name] for name in ([given.only] if given.only else TOOLS)}
    place = ROOT / "target" / "bench"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with MailServer(USER, BIG_USER) as server:
        size = 0
        for number in range(1, given.mails + 1):
            mail = sample_mails.mail(number, small=given.small)
            size += len(mail)
            server.deliver(USER, "INBOX", mail, sample_mails.received(number))
        if not given.no_big:
            with open(place / "big.eml", "wb") as file:
                sample_mails.big(BIG, file)
            server.deliver(BIG_USER, "INBOX", place / "big.eml", sample_mails.START)
        server.hand_over()

        turns = rounds({name: kind(server, USER) for name, kind in chosen.items()}, place, given.mails, given.rounds)
        kind = "small mails" if given.small else "mails"
        text = f"### {given.mails:,} {kind}, {size / 1e6:.0f} MB\n\n{table(turns)}"
        if not given.no_big:
            turns = rounds({name: kind(server, BIG_USER) for name, kind in chosen.items()}, place, 1, given.rounds)
            text += f"\n### One mail of {BIG // 10**6} MB\n\n{table(turns)}"
    shutil.rmtree(place)

    options = " ".join(option for option in sys.argv[1:] if option != "--dry-run")
    repeat = f"make bench-fetch BENCH='{options}'" if options else "make bench-fetch"
    text += (
        f"\nMedians of {given.rounds} turns (lowest to highest), {datetime.date.today():%d %B %Y}. {machine()}, "
        f"{filesystem(ROOT)}; {'; '.join(kind.version() for kind in chosen.values())}. Again: `{repeat}`\n"
    )
    print(text)
    if not (given.dry_run or given.only or given.no_big):
        write_page(text)


if __name__ == "__main__":
    main()
