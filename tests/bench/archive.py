#!/usr/bin/env python3
"""Archives the office mix, real mails and a million small ones, beside what else one could do with them.

    archive.py [--mails N] [--small N] [--programs DIR] [--dry-run]

`archive-bench` makes the mails in one process and stores them in another one, so that only storing is measured: by the archive,
by the archive without splitting, and as a Maildir of messages packed with zstd. Then `verify` beside sha256sum over the same
packs, and on a million small mails what `serve` needs, how soon it answers after a kill in the middle of archiving, and
`rebuild catalog`. CPU time, peak memory and written bytes are what the kernel counted for the process (GNU time: its blocks are
`write_bytes` of /proc/PID/io). The tables go into docs/benchmarks.md, unless --dry-run or other numbers of mails than those of the targets are asked for.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time

from measure import MIB, ROOT, Process, Turn, archivista_version, circumstances, draw, emptied, kept, table, write_page

OFFICE, SMALL = 100_000, 1_000_000
CORPUS = ROOT / "target" / "tools" / "mail-corpus"
# Small mails that are archived when the kill comes, and those that were safe before it.
MORE, KILLED_AFTER = 20_000, 10_000
OURS, WHOLE, MAILDIR = "archivista", "not split", "Maildir+zstd"
# Seconds that `serve` has to answer.
PATIENCE = 300


@dataclasses.dataclass
class Stored:
    """What one tool made of some mails."""

    turn: Turn
    told: dict
    # Bytes of the packs, or of the files; bytes of the catalog.
    content: int
    catalog: int


class Bench:
    def __init__(self, programs, place):
        self.archivista, self.bench, self.place = programs / "archivista", programs / "archive-bench", place

    def make(self, *mails):
        return [self.bench, *map(str, mails)]

    def store(self, mails, tool):
        """One turn of one tool; its folder stays."""
        target = self.place / "target"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        data = target / "data"
        command = [self.bench, "maildir", data] if tool == MAILDIR else [self.bench, "archive", data]
        os.sync()
        with open(self.place / "said", "w+", encoding="utf-8") as said:
            giver = subprocess.Popen(mails, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            options = ["--whole"] if tool == WHOLE else []
            process = Process([*command, *options], self.place / "counted", stdin=giver.stdout, stdout=said)
            giver.stdout.close()
            code, wall, cpu, memory, written = process.end()
            if code or giver.wait():
                raise SystemExit(f"{tool} ended with {code}")
            said.seek(0)
            told = json.loads(said.read().splitlines()[-1])
        turn = Turn(told["mails"], wall, cpu, memory, written, kept(data))
        stored = Stored(turn, told, content_of(data), size_of(data / "catalog.redb"))
        print(f"{tool}\t{stored}", flush=True)
        return stored

    def compare(self, mails):
        """All tools, ours last: its archive stays for what follows."""
        stored = {tool: self.store(mails, tool) for tool in (MAILDIR, WHOLE, OURS)}
        return {tool: stored[tool] for tool in (OURS, WHOLE, MAILDIR)}

    @property
    def data(self):
        return self.place / "target" / "data"

    def timed(self, *command):
        """Wall and CPU seconds, and peak MiB."""
        with open(self.place / "said", "w+b") as said:
            process = Process(command, self.place / "counted", stdout=said, stderr=said)
            code, wall, cpu, memory, _ = process.end()
            if code:
                said.seek(0)
                raise SystemExit(f"{command} ended with {code}:\n{said.read().decode(errors='replace')}")
        return wall, cpu, memory

    def making(self, mails):
        """Seconds that making the mails takes by itself."""
        started = time.perf_counter()
        subprocess.run(mails, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - started

    def proof(self):
        """`verify` and sha256sum over the same packs, the second run of each."""
        packs = sorted((self.data / "packs").iterdir())
        runs = {"sha256sum": ["sha256sum", *packs], "verify": [self.archivista, "--data", self.data, "verify"]}
        seconds = {}
        for name, command in runs.items():
            self.timed(*command)
            seconds[name] = self.timed(*command)[:2]
        ratio = seconds["verify"][0] / seconds["sha256sum"][0]
        size = sum(map(size_of, packs))
        print(f"verify\t{size} bytes\t{seconds}\tratio {ratio:.2f}", flush=True)
        return {"bytes": size, "ratio": ratio, "verify": seconds["verify"], "sha256sum": seconds["sha256sum"]}

    def kill_in_the_middle(self, first):
        """Archives further small mails, and kills what archives them."""
        giver = subprocess.Popen(self.make("small", MORE, first), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        command = [self.bench, "archive", self.data, "--from", str(first), "--tell"]
        archiving = subprocess.Popen(command, stdin=giver.stdout, stdout=subprocess.PIPE, text=True)
        giver.stdout.close()
        for line in archiving.stdout:
            if line.strip().isdigit() and int(line) >= KILLED_AFTER:
                break
        else:
            raise SystemExit("the archiving ended before its kill")
        archiving.kill()
        archiving.wait()
        giver.kill()
        giver.wait()

    def serve(self, end):
        """Seconds from its start to its first page, and its peak memory then; ended by this signal."""
        command = [self.archivista, "--data", self.data, "serve", "--listen", "127.0.0.1:0"]
        started = time.perf_counter()
        with open(self.place / "served", "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            address = process.stdout.readline().strip()
            if not address.startswith("https://"):
                raise SystemExit(f"serve ended: {(self.place / 'served').read_text()}")
            page(int(address.rpartition(":")[2]))
            seconds = time.perf_counter() - started
            # What it does by itself after a start.
            time.sleep(5)
            memory = peak(process.pid)
        finally:
            process.send_signal(end)
            process.wait(PATIENCE)
        print(f"serve\t{seconds:.2f} s\t{memory:.1f} MiB", flush=True)
        return seconds, memory


def page(port):
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
        # Its certificate is its own.
        with ssl._create_unverified_context().wrap_socket(plain) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            status = connection.recv(12)
            if status[9:10] not in (b"2", b"3"):
                raise SystemExit(f"the first page: {status!r}")


def peak(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def content_of(data):
    packs = data / "packs"
    return sum(path.stat().st_size for path in (packs if packs.exists() else data).rglob("*") if path.is_file())


def shares(stored):
    """What of the raw bytes each of the tools takes and writes."""
    raw = next(iter(stored.values())).told["bytes"]
    lines = ["| | " + " | ".join(stored) + " |", "|---|" + "---:|" * len(stored)]

    def row(label, cell):
        lines.append(f"| {label} | " + " | ".join(cell(one) for one in stored.values()) + " |")

    row("MB of raw mails per second", lambda one: f"{raw / 1e6 / one.turn.wall:.1f}")
    row("of raw: packs, or files", lambda one: f"{one.content / raw:.3f}")
    row("of raw: all that is kept, in blocks of the disk", lambda one: f"{one.turn.disk * MIB / raw:.3f}")
    row("bytes written per raw byte", lambda one: f"{one.turn.written * MIB / raw:.2f}")
    return "\n".join(lines) + "\n"


def targets(rows):
    lines = ["| | measured | to reach | |", "|---|---:|---:|---|"]
    for label, measured, most, unit in rows:
        digits = 3 if most < 1 and not unit else 2 if most < 10 else 1
        verdict = "reached" if measured <= most else "*missed*"
        lines.append(f"| {label} | {measured:.{digits}f}{unit} | {most:g}{unit} | {verdict} |")
    return "\n".join(lines) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mails", type=int, default=OFFICE)
    arguments.add_argument("--small", type=int, default=SMALL)
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    arguments.add_argument("--dry-run", action="store_true", help="print the tables only")
    given = arguments.parse_args()
    # Before anybody changes a file.
    coreutils = subprocess.run(["sha256sum", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
    versions = [archivista_version(), coreutils]
    with emptied("bench-archive") as place:
        text, measured, rows = run(Bench(given.programs.resolve(), place), given)
    text = f"{targets(rows)}\n{text}\nOne turn each, {circumstances('bench-archive', 'BENCH', versions)}"
    print(text)
    if not given.dry_run and (given.mails, given.small) == (OFFICE, SMALL):
        draw("bench-archive", measured)
        write_page("archive", text)


def run(bench, given):
    measured, text, rows = {}, "", []

    office = bench.make("office", given.mails)
    making = bench.making(office)
    stored = bench.compare(office)
    proof = bench.proof()
    told = stored[OURS].told
    head = f"{given.mails:,} mails of the office mix, {told['bytes'] / 1e9:.2f} GB"
    turns = {tool: [one.turn] for tool, one in stored.items()}
    measured[head] = turns
    text += f"### {head}\n\n{table(turns)}\n{shares(stored)}\n"
    text += f"{told['archived']:,} documents. Making the mails takes {making:.1f} s by itself, in a process of its own beside each of these.\n"
    rows.append(("office mix: of raw, all that is kept", stored[OURS].turn.disk * MIB / told["bytes"], 0.15, ""))

    stored = bench.compare(bench.make("files", CORPUS))
    told = stored[OURS].told
    head = f"{told['mails']:,} real mails of 2002, {told['bytes'] / 1e6:.1f} MB"
    turns = {tool: [one.turn] for tool, one in stored.items()}
    measured[head] = turns
    text += f"\n### {head}\n\n{table(turns)}\n{shares(stored)}\n"
    catalog = stored[OURS].catalog
    text += f"{told['archived']:,} documents; the catalog has {catalog / MIB:.1f} MiB.\n"
    rows.append(("real mails: of raw, the packs", stored[OURS].content / told["bytes"], 0.45, ""))
    rows.append(("real mails: of raw, all that is kept", stored[OURS].turn.disk * MIB / told["bytes"], 0.45, ""))

    small = bench.store(bench.make("small", given.small, 0), OURS)
    small_proof = bench.proof()
    bench.kill_in_the_middle(given.small)
    opened, memory = bench.serve(signal.SIGKILL)
    again, _ = bench.serve(signal.SIGTERM)
    rebuilt, _, rebuilding = bench.timed(bench.archivista, "--data", bench.data, "rebuild", "catalog")
    bench.timed(bench.archivista, "--data", bench.data, "verify")
    turn, raw = small.turn, small.told["bytes"]
    text += f"\n### {given.small:,} small mails, {raw / 1e9:.2f} GB\n\n"
    text += "\n".join(
        [
            "| | |",
            "|---|---:|",
            f"| mails per second | {turn.rate:,.0f} |",
            f"| MB of raw mails per second | {raw / 1e6 / turn.wall:.1f} |",
            f"| CPU time (s) | {turn.cpu:.1f} |",
            f"| peak memory of archiving (MiB) | {turn.memory:.1f} |",
            f"| bytes written per raw byte | {turn.written * MIB / raw:.2f} |",
            f"| of raw: packs | {small.content / raw:.3f} |",
            f"| of raw: all that is kept | {turn.disk * MIB / raw:.3f} |",
            f"| catalog (MiB) | {small.catalog / MIB:.0f} |",
            f"| `serve`, started after a kill in the middle of archiving: to the first page (s) | {opened:.2f} |",
            f"| `serve`, started after a kill of its own: to the first page (s) | {again:.2f} |",
            f"| `serve`, peak memory (MiB) | {memory:.1f} |",
            f"| `rebuild catalog` (s) | {rebuilt:.1f} |",
            f"| `rebuild catalog`, peak memory (MiB) | {rebuilding:.1f} |",
            f"| catalog, made anew (MiB) | {size_of(bench.data / 'catalog.redb') / MIB:.0f} |",
        ]
    )
    rows.append(("a million small mails: `serve`, peak memory", memory, 64, " MiB"))
    rows.append(("a million small mails: `serve` answers after a kill in the middle of archiving", opened, 1, " s"))

    text += "\n\n### `verify` and sha256sum\n\n"
    text += "\n".join(
        [
            "| packs of | MB | verify (s) | CPU time (s) | sha256sum (s) | CPU time (s) | ratio |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *(
                f"| {name} | {one['bytes'] / 1e6:,.0f} | {one['verify'][0]:.2f} | {one['verify'][1]:.2f} "
                f"| {one['sha256sum'][0]:.2f} | {one['sha256sum'][1]:.2f} | {one['ratio']:.2f} |"
                for name, one in (("the office mix", proof), ("small mails", small_proof))
            ),
        ]
    )
    text += "\n"
    rows.append(("office mix: `verify` to sha256sum", proof["ratio"], 1.5, ""))
    rows.append(("small mails: `verify` to sha256sum", small_proof["ratio"], 1.5, ""))
    return text, measured, rows


if __name__ == "__main__":
    main()
