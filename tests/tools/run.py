#!/usr/bin/env python3
"""run.py PROGRAM DIR: shows what the program does, on a sample mailbox of a private mail server. Data is kept in DIR."""

import pathlib
import shutil
import subprocess
import sys

import sample_mails
from mail_server import MailServer

USER = "test@mymail.ch"
COUNT = 300
# A folder for every so many mails; what is left over stays in the inbox.
FOLDERS = {3: "Sent", 5: "Kunden/Müller & Söhne", 7: "Archiv/2023", 11: "Lieferanten/Zürich"}


def folder_of(number):
    return next((folder for every, folder in FOLDERS.items() if number % every == 0), "INBOX")


def step(words):
    print(f"\n\033[1m{words}\033[0m" if sys.stdout.isatty() else f"\n{words}", flush=True)


def main():
    program, place = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    data = place / "data"

    def archivista(*arguments, **how):
        print(f"$ archivista {' '.join(str(argument) for argument in arguments)}", flush=True)
        done = subprocess.run([program, "--data", data, *arguments], stdin=subprocess.DEVNULL, check=False, **how)
        if done.returncode:
            raise SystemExit(f"archivista ended with {done.returncode}")
        return done.stdout

    # The archive of the run before goes: every run shows the same from the start.
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with MailServer(USER) as server:
        for number in range(1, COUNT + 1):
            server.deliver(USER, folder_of(number), sample_mails.mail(number), sample_mails.received(number))
        server.hand_over()
        step(f"1. A mail server on this machine holds {COUNT} sample mails of {USER} in {len(FOLDERS) + 1} folders.")
        definition = place / "office.toml"
        definition.write_text(server.definition("office", USER))
        archivista("source", "add", definition)

        step("2. They are archived, once each.")
        archivista("fetch")

        step("3. What is archived is not fetched again.")
        archivista("fetch")

    step("4. The mail server is gone; the archive answers alone. Its first documents:")
    lines = archivista("list", stdout=subprocess.PIPE, text=True).splitlines()
    print("\n".join(lines[:10]))
    print(f"... and {len(lines) - 10} more lines")

    step("5. Every byte is still what it was:")
    archivista("verify")
    step(f"The archive stays in {data}; try: {program} --data {data} list rechnung")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
