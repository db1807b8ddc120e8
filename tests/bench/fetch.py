#!/usr/bin/env python3
"""Fetches the same mailbox with `archivista fetch` and with its peers, in turns, from one Dovecot over TLS to one disk.

    fetch.py [--rounds N] [--mails N] [--small] [--only TOOL] [--no-big] [--dry-run]

Every turn starts with an empty target. mbsync runs as it does by default: FSync on; offlineimap3 is asked for the same, getmail6
does it anyway. fetchmail stores nothing itself: for each mail it starts a delivery agent, here one that syncs. Time is measured from start to end of
the process; CPU time, peak memory and written bytes are what the kernel counted for it (GNU time). The table goes into
docs/benchmarks.md, unless --dry-run, --only or --no-big leave a part of it out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

from measure import ARCHIVISTA, ROOT, archivista_version, circumstances, draw, rounds, table, write_page

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import sample_mails  # noqa: E402
from mail_server import PASSWORD, MailServer  # noqa: E402

USER, BIG_USER = "test@mymail.ch", "big@mymail.ch"
BIG = 150_000_000
TOOLS = ["archivista", "mbsync", "getmail6", "offlineimap3", "fetchmail"]


def maildir(place):
    for part in ("cur", "new", "tmp"):
        (place / part).mkdir(parents=True)


def in_maildir(place):
    return sum(1 for part in ("cur", "new") for _ in (place / part).iterdir())


def debian_version(package):
    shown = ["dpkg-query", "--show", "--showformat=${Package} ${Version}", package]
    return subprocess.run(shown, check=True, stdout=subprocess.PIPE, text=True).stdout


class Archivista:
    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        definition = target / "bench.toml"
        definition.write_text(self.server.definition("bench", self.user))
        subprocess.run([ARCHIVISTA, "--data", target / "data", "source", "add", definition], check=True)
        return [ARCHIVISTA, "--data", target / "data", "fetch", "--json"], {}

    def count(self, target):
        listed = subprocess.run([ARCHIVISTA, "--data", target / "data", "list", "--json"], check=True, stdout=subprocess.PIPE)
        return sum(len(json.loads(line)["occurrences"]) for line in listed.stdout.splitlines())

    @classmethod
    def version(cls):
        return archivista_version()


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
        return ["mbsync", "--quiet", "--config", configuration, "--all"], {}

    def count(self, target):
        return in_maildir(target / "data" / "INBOX")

    @classmethod
    def version(cls):
        return subprocess.run(["mbsync", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Getmail:
    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        inbox = target / "data" / "INBOX"
        maildir(inbox)
        (target / "state").mkdir()
        # It delivers nothing as root.
        user = "user = mail" if os.getuid() == 0 else ""
        if user:
            for place in (inbox, *inbox.iterdir()):
                shutil.chown(place, "mail", "mail")
        configuration = target / "getmailrc"
        configuration.write_text(f"""\
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = {self.server.tls_port}
username = {self.user}
password = {PASSWORD}
ca_certs = {self.server.ca_file}
mailboxes = ("INBOX",)

[destination]
type = Maildir
path = {inbox}/
{user}

[options]
read_all = true
delete = false
verbose = 0
""")
        return ["getmail", "--quiet", "--getmaildir", target / "state", "--rcfile", configuration], {}

    def count(self, target):
        return in_maildir(target / "data" / "INBOX")

    @classmethod
    def version(cls):
        return debian_version("getmail6")


class OfflineImap:
    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        configuration = target / "offlineimaprc"
        configuration.write_text(f"""\
[general]
accounts = bench
metadata = {target}/state
fsync = True

[Account bench]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {target}/data

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {self.server.tls_port}
ssl = yes
sslcacertfile = {self.server.ca_file}
remoteuser = {self.user}
remotepass = {PASSWORD}
readonly = True
""")
        return ["offlineimap", "-o", "-u", "quiet", "-c", configuration], {}

    def count(self, target):
        return in_maildir(target / "data" / "INBOX")

    @classmethod
    def version(cls):
        return debian_version("offlineimap3")


class Fetchmail:
    def __init__(self, server, user):
        self.server, self.user = server, user

    def prepare(self, target):
        maildir(target / "data" / "INBOX")
        inbox = target / "data" / "INBOX"
        agent = target / "deliver"
        agent.write_text(f"#!/bin/sh\nset -e\ncat >{inbox}/tmp/$$\nsync {inbox}/tmp/$$\nmv {inbox}/tmp/$$ {inbox}/new/$(date +%s%N).$$\n")
        agent.chmod(0o755)
        configuration = target / "fetchmailrc"
        configuration.write_text(
            f'poll localhost protocol IMAP service {self.server.tls_port} username "{self.user}" password "{PASSWORD}" '
            f'ssl sslcertfile "{self.server.ca_file}" fetchall keep mda "{agent}"\n'
        )
        configuration.chmod(0o600)
        command = ["fetchmail", "--silent", "--nosyslog", "--fetchmailrc", configuration, "--idfile", target / "ids"]
        return command, {"FETCHMAILHOME": str(target)}

    def count(self, target):
        return in_maildir(target / "data" / "INBOX")

    @classmethod
    def version(cls):
        return debian_version("fetchmail")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--mails", type=int, default=1000)
    arguments.add_argument("--small", action="store_true", help="text only")
    arguments.add_argument("--only", choices=TOOLS)
    arguments.add_argument("--no-big", action="store_true", help="leave out the one large message")
    arguments.add_argument("--dry-run", action="store_true", help="print the table only")
    given = arguments.parse_args()

    kinds = dict(zip(TOOLS, (Archivista, Mbsync, Getmail, OfflineImap, Fetchmail)))
    chosen = {name: kinds[name] for name in ([given.only] if given.only else TOOLS)}
    # Before anybody changes a file.
    versions = [kind.version() for kind in chosen.values()]
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
        head = f"{given.mails:,} {kind}, {size / 1e6:.0f} MB"
        measured = {head: turns}
        text = f"### {head}\n\n{table(turns)}"
        if not given.no_big:
            turns = rounds({name: kind(server, BIG_USER) for name, kind in chosen.items()}, place, 1, given.rounds)
            head = f"One mail of {BIG // 10**6} MB"
            measured[head] = turns
            text += f"\n### {head}\n\n{table(turns)}"
    shutil.rmtree(place)

    text += f"\nMedians of {given.rounds} turns (lowest to highest), {circumstances('bench-fetch', 'BENCH', versions)}"
    print(text)
    if not (given.dry_run or given.only or given.no_big):
        draw("bench-fetch", measured)
        write_page("fetch", text)


if __name__ == "__main__":
    main()
