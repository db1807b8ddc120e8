#!/usr/bin/env python3
"""Archives a whole simulated tenant while everything goes wrong, and counts what is missing or there twice.

    graph.py [--mailboxes N] [--mails N] [--rate R] [--faults KIND,...] [--kills N] [--seed N] [--dry-run]

One request or message in twenty meets a fault, of any kind that reading can meet (a lost answer to a write, late-gateway, has
its place in tests/after_archiving_in_microsoft_365.rs); `archivista fetch` is killed at random
moments, again and again, then runs until nothing is new. After that every message of the tenant must be in the archive once:
the simulator tells its id and the hash of its bytes, `list` tells what there is, `verify` reads every byte. Ends with 1 where
a promise is broken. The figures go into docs/benchmarks.md, unless --dry-run.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "bench"), str(ROOT / "tests" / "tools")]
from measure import ARCHIVISTA, Process, archivista_version, circumstances, kept, write_page  # noqa: E402
from tenant import Tenant  # noqa: E402

SIMULATOR = ROOT / "target" / "release" / "simulator"
FAULTS = (
    "throttle unavailable gateway token-unavailable poisoned poisoned-smime poisoned-page gone cut slow token-expired spurious-401 empty-pages "
    "replays lying-length not-found-window html-error wrong-content-type redirect"
).split()
# Runs in a row that bring nothing before it is given up.
PATIENCE = 20
SAMPLES = 5


class Soak:
    def __init__(self, tenant, place):
        self.tenant, self.place, self.data = tenant, place, place / "data"
        self.runs, self.kills, self.memory, self.peak_of, self.cpu = 0, 0, 0.0, 0, 0.0
        (place / "soak.toml").write_text(tenant.definition("soak"))
        subprocess.run([ARCHIVISTA, "--data", self.data, "source", "add", place / "soak.toml"], check=True)

    def fetch(self, requests=None, delay=0.0):
        """One run; killed `delay` seconds after so many requests. What it said, or None where it was killed."""
        before = self.tenant.control("counters")["requests"]
        with open(self.place / "said", "w+b") as said, open(self.place / "log", "ab") as log:
            process = Process([ARCHIVISTA, "--data", self.data, "fetch", "--json"], self.place / "counted", stdout=said, stderr=log)
            killed = False
            while requests is not None and process.is_running() and not killed:
                if self.tenant.control("counters")["requests"] - before >= requests:
                    time.sleep(delay)
                    killed = process.kill()
                else:
                    time.sleep(0.01)
            code, _, cpu, memory, _ = process.end()
            said.seek(0)
            lines = said.read().splitlines()
        self.runs += 1
        self.cpu += cpu
        if memory > self.memory:
            self.memory, self.peak_of = memory, self.runs
        # A run that had said what it did was over.
        if killed and not lines:
            self.kills += 1
            return None
        if not lines:
            raise SystemExit(f"a run ended with {code} and said nothing; see {self.place / 'log'}")
        return {"code": code, **json.loads(lines[0])}

    def expected(self, mailboxes):
        """What the tenant has: of every id the hash of its bytes, None where its bytes are refused for good."""
        messages = {}
        for number in range(mailboxes):
            for told in self.tenant.control("messages", mailbox=f"user{number:04}@example.org", sha256=True):
                messages[told["immutable_id"]] = None if told["poisoned"] else told["sha256"]
        return messages

    def documents(self):
        listing = subprocess.Popen([ARCHIVISTA, "--data", self.data, "list", "--json"], stdout=subprocess.PIPE)
        for line in listing.stdout:
            yield json.loads(line)
        if listing.wait():
            raise SystemExit(f"list ended with {listing.returncode}")

    def compare(self, messages):
        """What is there twice, missing, different or unknown; a sample of each."""
        wrong = collections.defaultdict(list)
        hashes, seen = set(), set()
        for expected, document in enumerate(self.documents(), 1):
            number, digest = document["number"], document["sha256"]
            if number != expected:
                wrong["skipped"].append(f"{expected} is {number}")
            if digest in hashes:
                wrong["twice"].append(f"document {number}: {digest}")
            hashes.add(digest)
            for occurrence in document["occurrences"]:
                remote = occurrence["remote"]
                if remote in seen:
                    wrong["twice"].append(f"document {number}: {remote}")
                elif remote not in messages:
                    wrong["unknown"].append(f"document {number}: {remote}")
                elif messages[remote] not in (None, digest):
                    wrong["different"].append(f"document {number}: {remote}")
                seen.add(remote)
        wrong["missing"] += [remote for remote in messages if remote not in seen]
        return wrong, len(hashes)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mailboxes", type=int, default=200)
    arguments.add_argument("--mails", type=int, default=200_000, help="in all mailboxes together")
    arguments.add_argument("--rate", type=float, default=0.05, help="of all kinds of faults together")
    arguments.add_argument("--faults", default=",".join(FAULTS), help="the kinds, to look at one of them")
    arguments.add_argument("--kills", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments.add_argument("--dry-run", action="store_true", help="print the figures only")
    given = arguments.parse_args()
    if given.mails % given.mailboxes:
        arguments.error("--mails: give a multiple of --mailboxes")
    print(f"seed {given.seed}", flush=True)
    # Before anybody changes a file.
    version = archivista_version()
    chance = random.Random(given.seed)

    place = ROOT / "target" / "soak-graph"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    options = ["--generate", f"{given.mailboxes},{given.mails // given.mailboxes},{given.seed}", "--seed", str(given.seed)]
    kinds = given.faults.split(",")
    for kind in kinds:
        # Only one mail in fifty is signed; what falls on these falls on a share of their own.
        rate = given.rate if kind == "poisoned-smime" else given.rate / len(kinds)
        options += ["--fault", f"{kind}:{rate}"]
    with Tenant(SIMULATOR, *options) as tenant:
        soak = Soak(tenant, place)
        started = time.perf_counter()
        # A message takes a request: so three quarters of all come before the last kill, as far as a kill loses none.
        most = max(1, given.mails * 3 // (2 * max(1, given.kills)))
        while soak.kills < given.kills and soak.runs < 4 * given.kills:
            after, delay = chance.randint(0, most), chance.uniform(0, 0.05)
            ended = soak.fetch(after, delay)
            print(f"{time.perf_counter() - started:.0f} s\trun {soak.runs}: {ended or f'killed after {after} requests'}", flush=True)
        quiet = 0
        while quiet < PATIENCE:
            ended = soak.fetch()
            print(f"{time.perf_counter() - started:.0f} s\trun {soak.runs}: {ended}", flush=True)
            if ended["code"] == 0 and ended["archived"] == 0:
                break
            quiet = 0 if ended["archived"] else quiet + 1
        wall = time.perf_counter() - started
        counters = tenant.control("counters")
        messages = soak.expected(given.mailboxes)
        wrong, documents = soak.compare(messages)
        started = time.perf_counter()
        verified = subprocess.run([ARCHIVISTA, "--data", soak.data, "verify", "--json"], check=False, stdout=subprocess.PIPE, text=True)
        verify_wall = time.perf_counter() - started
        report = json.loads(verified.stdout) if verified.stdout else {"clean": False, "findings": [f"ended with {verified.returncode}"]}

    rows = {
        "mailboxes, messages": f"{given.mailboxes:,}, {len(messages):,}",
        "faults met": f"{sum(counters['faults'].values()):,} of {len(counters['faults'])} kinds, in {counters['requests']:,} requests",
        "messages without MIME, rebuilt": f"{sum(1 for digest in messages.values() if digest is None):,}",
        "runs": f"{soak.runs:,}",
        "exit code of the last": f"{ended['code']}",
        "kills that hit": f"{soak.kills:,}",
        "documents": f"{documents:,}",
        "unexplained": f"{ended['unexplained']:,}",
        **{name: f"{len(wrong[name]):,}" for name in ("missing", "twice", "different", "unknown", "skipped")},
        "verify": f"{'clean' if report['clean'] else 'DAMAGED'}, {verify_wall:.0f} s",
        "time of all runs (s)": f"{wall:,.0f}",
        "CPU time of all runs (s)": f"{soak.cpu:,.0f}",
        "peak memory over all runs (MiB)": f"{soak.memory:.1f} (run {soak.peak_of})",
        "archive on disk (MiB)": f"{kept(soak.data):,.0f}",
    }
    text = "| | |\n|---|---:|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    text += f"\nSeed {given.seed}, {circumstances('soak-graph', 'SOAK', [version])}"
    print(text)
    for name, found in wrong.items():
        for one in found[:SAMPLES]:
            print(f"! {name}: {one}")
    for finding in report["findings"][:SAMPLES]:
        print(f"! verify: {finding}")

    broken = any(wrong.values()) or ended["code"] or ended["unexplained"] or not report["clean"] or soak.kills < given.kills
    if not given.dry_run:
        write_page("soak-graph", text)
    if broken:
        print(f"A promise is broken; everything is left in {place}")
        raise SystemExit(1)
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
