#!/usr/bin/env python3
"""Fetches the same mailboxes with `archivista fetch` and with python O365, in turns, from the simulated Microsoft 365.

    graph.py [--rounds N] [--mails N] [--only TOOL] [--no-big] [--no-ceiling] [--dry-run]

Every turn starts with an empty target and a new simulator with the same mails. Then archivista alone against a tenant of many
mailboxes that throttles: how near it comes to what the tenant lets anybody have. The tables go into docs/benchmarks.md, unless
--dry-run, --only, --no-big or --no-ceiling leave a part of them out.
"""

import argparse
import dataclasses
import json
import shutil
import statistics
import subprocess
import sys

from measure import ARCHIVISTA, ROOT, archivista_version, circumstances, draw, rounds, table, turn, write_page

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import sample_mails  # noqa: E402
from tenant import CLIENT, SECRET, TENANT, Tenant  # noqa: E402

SIMULATOR = ROOT / "target" / "release" / "simulator"
O365 = ROOT / "target" / "tools" / "o365"
MAILBOXES = 5
SEED = 1
# Of the tenant that throttles.
CROWD = 50
BIG = 150_000_000


class Tool:
    """`mails` are the simulator's options: what is in the tenant."""

    def __init__(self, *mails):
        self.mails, self.tenant = mails, None
        # Asked before a simulator ends.
        self.before_stop = lambda: None

    def start(self):
        self.tenant = Tenant(SIMULATOR, *self.mails).__enter__()
        return self.tenant

    def stop(self):
        if self.tenant:
            self.before_stop()
            print(f"\tthe simulator used {self.tenant.cpu():.2f} s of CPU time for")
            self.tenant.__exit__()
            self.tenant = None


class Archivista(Tool):
    def prepare(self, target):
        definition = target / "bench.toml"
        definition.write_text(self.start().definition("bench"))
        subprocess.run([ARCHIVISTA, "--data", target / "data", "source", "add", definition], check=True)
        return [ARCHIVISTA, "--data", target / "data", "fetch", "--json"], {}

    def count(self, target):
        self.stop()
        listed = subprocess.run([ARCHIVISTA, "--data", target / "data", "list", "--json"], check=True, stdout=subprocess.PIPE)
        return sum(len(json.loads(line)["occurrences"]) for line in listed.stdout.splitlines())

    @staticmethod
    def version():
        return archivista_version()


class PythonO365(Tool):
    def prepare(self, target):
        tenant = self.start()
        (target / "data").mkdir()
        addresses = [f"user{number:04}@example.org" for number in range(MAILBOXES)]
        script = ROOT / "tests" / "bench" / "o365_fetch.py"
        environment = {
            "PYTHONPATH": ROOT / "tests" / "tools" / "o365",
            "SIMULATOR_PORT": str(tenant.port),
            "REQUESTS_CA_BUNDLE": tenant.ca_file,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return [O365 / "bin" / "python3", script, TENANT, CLIENT, SECRET, target / "data", *addresses], environment

    def count(self, target):
        self.stop()
        return sum(1 for _ in (target / "data").iterdir())

    @staticmethod
    def version():
        ask = "from importlib.metadata import version; import platform; print(version('O365'), platform.python_version())"
        found = subprocess.run([O365 / "bin" / "python3", "-c", ask], check=True, stdout=subprocess.PIPE, text=True)
        package, python = found.stdout.split()
        return f"python O365 {package} (Python {python})"


@dataclasses.dataclass
class Ceiling:
    """A tenant that throttles, and the least time in which anybody could fetch all of it: given what was asked of it."""

    head: str
    mails: int  # of each mailbox
    options: list
    least: object  # seconds, from the numbers of requests of each mailbox that were answered


def at_a_time(places, latency):
    return lambda requests: sum(requests) * latency / 1000 / places


def in_a_span(quota, seconds):
    """The last requests of a mailbox take no time."""
    return lambda requests: max((count - 1) // quota * seconds for count in requests)


CEILINGS = [
    Ceiling(
        "4 requests at a time for all mailboxes together, 100 ms each",
        60,
        ["--tenant-concurrency", "4", "--latency", "100"],
        at_a_time(4, 100),
    ),
    Ceiling(
        "8 requests at a time for all mailboxes together, 100 ms each",
        120,
        ["--tenant-concurrency", "8", "--latency", "100"],
        at_a_time(8, 100),
    ),
    Ceiling(
        "200 requests in 20 s for each mailbox",
        760,
        ["--quota", "200/20"],
        in_a_span(200, 20),
    ),
]


def ceilings(place, count):
    """Runs of archivista alone, each with the part of the ceiling that it reached."""
    lines = ["| the tenant takes | mails | least time (s) | time (s) | of the ceiling | refused | peak memory (MiB) |", "|---|---:|---:|---:|---:|---:|---:|"]
    for ceiling in CEILINGS:
        tool = Archivista("--generate", f"{CROWD},{ceiling.mails},{SEED}", *ceiling.options)
        least, refused = [], []

        def look(tool=tool, ceiling=ceiling, least=least, refused=refused):
            counters = tool.tenant.control("counters")
            least.append(ceiling.least(list(counters["answered"].values())))
            refused.append(counters["throttled"])

        tool.before_stop = look
        turns = []
        for number in range(1, count + 1):
            turns.append(turn(tool, place, CROWD * ceiling.mails))
            print(f"{number}\t{ceiling.head}\t{turns[-1]}\tleast {least[-1]:.1f} s, {refused[-1]} refused", flush=True)
        reached = [100 * at / one.wall for at, one in zip(least, turns)]
        middle = statistics.median
        lines.append(
            f"| {ceiling.head} | {CROWD * ceiling.mails:,} | {middle(least):.1f} | {middle(one.wall for one in turns):.1f} "
            f"| {middle(reached):.0f} % ({min(reached):.0f} to {max(reached):.0f}) | {middle(refused):,.0f} "
            f"| {max(one.memory for one in turns):.1f} |"
        )
    return "\n".join(lines) + "\n"


TOOLS = {"archivista": Archivista, "O365": PythonO365}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--mails", type=int, default=5000, help=f"a multiple of {MAILBOXES}")
    arguments.add_argument("--only", choices=list(TOOLS))
    arguments.add_argument("--no-big", action="store_true", help="leave out the one large message")
    arguments.add_argument("--no-ceiling", action="store_true", help="leave out the tenant that throttles")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()
    if given.mails % MAILBOXES:
        arguments.error(f"--mails: give a multiple of {MAILBOXES}")

    chosen = {name: TOOLS[name] for name in ([given.only] if given.only else TOOLS)}
    # Before anybody changes a file.
    versions = [kind.version() for kind in chosen.values()]
    place = ROOT / "target" / "bench-graph"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    mails = ["--generate", f"{MAILBOXES},{given.mails // MAILBOXES},{SEED}"]
    turns = rounds({name: kind(*mails) for name, kind in chosen.items()}, place, given.mails, given.rounds)
    head = f"{given.mails:,} mails in {MAILBOXES} mailboxes"
    measured = {head: turns}
    text = f"### {head}\n\n{table(turns)}"
    if not given.no_big:
        (place / "big" / "Inbox").mkdir(parents=True)
        with open(place / "big" / "Inbox" / "big.eml", "wb") as file:
            sample_mails.big(BIG, file)
        big = Archivista("--mailbox", f"big@example.org={place / 'big'}")
        text += f"\n### One mail of {BIG // 10**6} MB\n\n{table(rounds({'archivista': big}, place, 1, given.rounds))}"
    if not (given.no_ceiling or given.only == "O365"):
        text += f"\n### A tenant of {CROWD} mailboxes that throttles\n\n{ceilings(place, given.rounds)}"
    shutil.rmtree(place)

    text += f"\nMedians of {given.rounds} turns (lowest to highest), {circumstances('bench-graph', 'BENCH', versions)}"
    print(text)
    if not (given.dry_run or given.only or given.no_big or given.no_ceiling):
        draw("bench-graph", measured)
        write_page("graph", text)


if __name__ == "__main__":
    main()
