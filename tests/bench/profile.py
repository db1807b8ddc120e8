#!/usr/bin/env python3
"""Shows where the time of `archivista fetch` goes: a mailbox of IMAP and a tenant of Microsoft 365, the sample mails of the benchmarks.

    profile.py [--mails N] [--dry-run]

Two runs of each. In the first perf looks at the program 1,000 times a second of CPU time and notes the chain of calls; each look
counts for the innermost step that the chain names. In the second strace counts calls that sync to the disk and the time until
they return, which is waiting and no CPU time. The table goes into docs/benchmarks.md.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys

from measure import ROOT, archivista_version, circumstances, write_page

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import sample_mails  # noqa: E402
from mail_server import MailServer  # noqa: E402
from tenant import Tenant  # noqa: E402

PROGRAM = ROOT / "target" / "profiling" / "archivista"
SIMULATOR = ROOT / "target" / "release" / "simulator"
USER = "test@mymail.ch"
MAILBOXES = 5

# The innermost call that fits counts. Symbols of Rust crates, C libraries and the kernel.
STEPS = [
    ("sync", r"fdatasync|fsync|sync_file_range|file_write_and_wait|jbd2|__x64_sys_f(data)?sync"),
    ("hash (SHA-256, CRC-32)", r"sha256|sha512|crc32|archivista::hash"),
    ("compress", r"ZSTD|HUF_|FSE_|HIST_|zstd"),
    ("parse", r"mail_parser|ingest::(address|boundary|date|fields|head|journal|leaf|line_ends|part|text|walk)"),
    ("commit (redb)", r"redb::|archive::catalog"),
    ("TLS", r"rustls|aes_?gcm|gcm_|chacha|ring::aead|aesni|vaes"),
    ("fetch (socket, protocol)", r"sys_recv|sys_send|tcp_|sock_|sys_poll|archivista::source|ureq|httparse|serde_json|serde::"),
    ("append (write)", r"sys_write|sys_pwrite|vfs_write|archive::pack|archive::record|archive::writer"),
    ("spool, hand over", r"archivista::ingest|archivista::fetch"),
]
PATTERNS = [(name, re.compile(pattern)) for name, pattern in STEPS]
OTHER = "all other (memory, threads, start)"


def step(chain):
    """`chain`: the calls of one look, the innermost first."""
    for call in chain:
        for name, pattern in PATTERNS:
            if pattern.search(call):
                return name
    return OTHER


def looks(record):
    """Counts of looks by step."""
    script = subprocess.Popen(["perf", "script", "-i", record, "-F", "ip,sym", "--no-inline"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    counts, chain = collections.Counter(), []
    for line in [*script.stdout, "\n"]:
        line = line.strip()
        if line:
            chain.append(line.partition(" ")[2])
            continue
        if chain:
            counts[step(chain)] += 1
        chain = []
    return counts


def empty(place, definition):
    """A new archive with one definition."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "bench.toml").write_text(definition)
    subprocess.run([PROGRAM, "--data", place / "data", "source", "add", place / "bench.toml"], check=True, stderr=subprocess.DEVNULL)
    os.sync()
    return [PROGRAM, "--data", place / "data", "fetch", "--json"]


def measure(place, definition):
    """CPU looks, and syncs with their time."""
    command = empty(place / "perf", definition)
    record = place / "perf.data"
    subprocess.run(
        ["perf", "record", "-q", "-e", "cpu-clock", "-F", "1000", "--call-graph", "dwarf,16384", "-o", record, *command],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    counts = looks(record)
    record.unlink()
    command = empty(place / "strace", definition)
    told = place / "strace"
    subprocess.run(
        ["strace", "-f", "-c", "-w", "--seccomp-bpf", "-e", "trace=fdatasync,fsync,sync_file_range", "-o", told / "counted", *command],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    syncs = {}
    for line in (told / "counted").read_text().splitlines():
        fields = line.split()
        if fields and fields[-1] in ("fdatasync", "fsync", "sync_file_range"):
            syncs[fields[-1]] = (int(fields[3]), float(fields[1]))
    return counts, syncs


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mails", type=int, default=5000, help=f"a multiple of {MAILBOXES}")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()
    version = archivista_version()
    place = ROOT / "target" / "bench-profile"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    results = {}
    with MailServer(USER) as server:
        for number in range(1, given.mails + 1):
            server.deliver(USER, "INBOX", sample_mails.mail(number), sample_mails.received(number))
        server.hand_over()
        results["IMAP"] = measure(place, server.definition("bench", USER))
    with Tenant(SIMULATOR, "--generate", f"{MAILBOXES},{given.mails // MAILBOXES},1") as tenant:
        results["Microsoft 365"] = measure(place, tenant.definition("bench"))
    shutil.rmtree(place)

    names = [name for name, _ in STEPS] + [OTHER]
    lines = ["| CPU time | " + " | ".join(results) + " |", "|---|" + "---:|" * len(results)]
    for name in names:
        cells = []
        for counts, _ in results.values():
            cells.append(f"{100 * counts[name] / counts.total():.1f} %")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| all (s) | " + " | ".join(f"{counts.total() / 1000:.2f}" for counts, _ in results.values()) + " |")
    for call in ("fdatasync", "fsync"):
        cells = []
        for _, syncs in results.values():
            count, seconds = syncs.get(call, (0, 0.0))
            cells.append(f"{count:,}, {seconds:.2f} s")
        lines.append(f"| `{call}`: calls, time until they return | " + " | ".join(cells) + " |")
    text = "\n".join(lines) + f"\n\n{given.mails:,} mails each. {circumstances('bench-profile', 'BENCH', [version])}"
    print(text)
    if not given.dry_run:
        write_page("profile", text)


if __name__ == "__main__":
    main()
