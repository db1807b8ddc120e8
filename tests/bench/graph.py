#!/usr/bin/env python3
"""Fetches the same mailboxes with `archivista fetch` and with python O365, in turns, from the simulated Microsoft 365.

    graph.py [--rounds N] [--mails N] [--only TOOL] [--no-big] [--dry-run]

Every turn starts with an empty target and a new simulator with the same mails. The table goes into docs/benchmarks.md, unless
--dry-run, --only or --no-big leave a part of it out.
"""

import argparse
import json
import shutil
import subprocess
import sys

from measure import ARCHIVISTA, ROOT, archivista_version, circumstances, rounds, table, write_page

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import sample_mails  # noqa: E402
from tenant import CLIENT, SECRET, TENANT, Tenant  # noqa: E402

SIMULATOR = ROOT / "target" / "release" / "simulator"
O365 = ROOT / "target" / "tools" / "o365"
MAILBOXES = 5
SEED = 1
BIG = 150_000_000


class Tool:
    """`mails` are the simulator's options: what is in the tenant."""

    def __init__(self, *mails):
        self.mails, self.tenant = mails, None

    def start(self):
        self.tenant = Tenant(SIMULATOR, *self.mails).__enter__()
        return self.tenant

    def stop(self):
        if self.tenant:
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


TOOLS = {"archivista": Archivista, "O365": PythonO365}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--mails", type=int, default=5000, help=f"a multiple of {MAILBOXES}")
    arguments.add_argument("--only", choices=list(TOOLS))
    arguments.add_argument("--no-big", action="store_true", help="leave out the one large message")
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
    text = f"### {given.mails:,} mails in {MAILBOXES} mailboxes\n\n{table(turns)}"
    if not given.no_big:
        (place / "big" / "Inbox").mkdir(parents=True)
        with open(place / "big" / "Inbox" / "big.eml", "wb") as file:
            sample_mails.big(BIG, file)
        big = Archivista("--mailbox", f"big@example.org={place / 'big'}")
        text += f"\n### One mail of {BIG // 10**6} MB\n\n{table(rounds({'archivista': big}, place, 1, given.rounds))}"
    shutil.rmtree(place)

    text += f"\nMedians of {given.rounds} turns (lowest to highest), {circumstances('bench-graph', 'BENCH', versions)}"
    print(text)
    if not (given.dry_run or given.only or given.no_big):
        write_page("graph", text)


if __name__ == "__main__":
    main()
