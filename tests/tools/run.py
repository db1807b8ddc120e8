#!/usr/bin/env python3
"""Shows what the program does: archives a made-up company from a simulated Microsoft 365, and serves the archive.

    run.py [--port 8443] [--once | --flow FILE.mjs] PROGRAM SIMULATOR DIR

The archive, its mails and all else is in DIR, made anew each time. --once ends as soon as the archive is served, --flow runs
a flow of tests/browser on it and ends with its result.
"""

import argparse
import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import company
from tenant import Tenant

NAME = "Muster AG"
REACHED_WITHIN = 60  # Seconds until the first page answers.
ENDS_WITHIN = 30
FLOWS = pathlib.Path(__file__).parent.parent / "browser"


def step(words):
    print(f"\n\033[1m{words}\033[0m" if sys.stdout.isatty() else f"\n{words}", flush=True)


class Box:
    """The program on a data folder."""

    def __init__(self, program, data, port):
        self.command, self.port = [program, "--data", data], port
        self.origin, self.said = f"https://127.0.0.1:{port}", []

    def run(self, *arguments):
        print(f"$ archivista {' '.join(str(argument) for argument in arguments)}", flush=True)
        done = subprocess.run([*self.command, *arguments], stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"archivista ended with {done.returncode}")

    def serve(self, use):
        """Serves the archive as long as `use` takes, and passes on all that the program says."""
        listen = f"127.0.0.1:{self.port}"
        print(f"$ archivista serve --listen {listen}", flush=True)
        command = [*self.command, "serve", "--listen", listen]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        listener = threading.Thread(target=self.listen, args=(process.stdout,))
        listener.start()
        try:
            self.wait_for_pages(process)
            use(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
            listener.join()
        if process.returncode:
            raise SystemExit(f"archivista serve ended with {process.returncode}")

    def listen(self, lines):
        for line in lines:
            self.said.append(line.rstrip("\n"))
            print(line, end="", flush=True)

    def wait_for_pages(self, process):
        end = time.monotonic() + REACHED_WITHIN
        while time.monotonic() < end and process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as plain:
                    # Its certificate is its own.
                    with ssl._create_unverified_context().wrap_socket(plain) as page:
                        page.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                        if page.recv(12).startswith(b"HTTP/"):
                            return
            except OSError:
                pass
            time.sleep(0.1)
        why = "in time" if process.poll() is None else "and ended"
        raise SystemExit(f"archivista serve gave no page at {self.origin} {why}")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=8443)
    end = arguments.add_mutually_exclusive_group()
    end.add_argument("--once", action="store_true")
    end.add_argument("--flow", type=pathlib.Path)
    for path in ("program", "simulator", "dir"):
        arguments.add_argument(path, type=pathlib.Path)
    given = arguments.parse_args()
    if not is_free(given.port):
        raise SystemExit(f"Port {given.port} is taken on this machine. Choose another one: make run PORT={given.port + 1}")
    place = given.dir.resolve()

    # The archive of the run before goes: every run shows the same from the start.
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    step("1. A small company with five mailboxes on a simulated Microsoft 365.")
    mailboxes = company.make(place / "company")
    options = [option for address in mailboxes for option in ("--mailbox", f"{address}={place / 'company' / address}")]
    with Tenant(given.simulator.resolve(), *options, "--user", f"{mailboxes[-1]},shared", "--retry-after", "0") as tenant:
        print("\n".join(mailboxes))
        definition = place / "muster.toml"
        definition.write_text(tenant.definition(NAME))
        box = Box(given.program.resolve(), place / "data", given.port)

        step("2. Everything in it is archived, once each.")
        box.run("source", "add", definition)
        box.run("fetch")

        step("3. The archive is served.")
        box.serve(use_of(given, box))
        step(f"It stays in {place / 'data'}; try: {given.program} --data {place / 'data'} list rechnung")


def use_of(given, box):
    """What is done while the archive is served."""

    def wait(process):
        step(f"Open https://localhost:{given.port} in a browser. It will warn of the certificate, which is the archive's own.")
        print("Ctrl+C ends this.", flush=True)
        try:
            process.wait()
        except KeyboardInterrupt:
            # The program heard it too.
            print(flush=True)

    def flow(_):
        code = next((line.partition(": ")[2] for line in box.said if line.startswith("setup code: ")), None)
        config = json.dumps({"origin": box.origin, "setup_code": code})
        done = subprocess.run(["node", FLOWS / "run.mjs", given.flow, config], check=False)
        if done.returncode:
            raise SystemExit(f"the flow {given.flow} ended with {done.returncode}")

    if given.flow:
        return flow
    return (lambda _: step(f"Served at {box.origin}.")) if given.once else wait


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
