"""A private Dovecot for the benchmarks; the tests in Rust have their own handle on dovecot.sh."""

import base64
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "geheim"


def wire_name(folder):
    """Modified UTF-7 (RFC 3501, 5.1.3)."""
    wire, foreign = "", ""
    for character in folder + "\0":
        if " " <= character <= "~" or character == "\0":
            if foreign:
                wire += "&" + base64.b64encode(foreign.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
                foreign = ""
            wire += "&-" if character == "&" else character
        else:
            foreign += character
    return wire.rstrip("\0")


class MailServer:
    """Runs from `with` to its end; `port` is IMAP in clear and with STARTTLS, `tls_port` over TLS."""

    def __init__(self, *users):
        self.users = users

    def __enter__(self):
        # Not below target/: the path of a Unix socket is short, and Dovecot's users have to reach it.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        (self.dir / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in self.users))
        self.ca_file = self.dir / "tls" / "ca.pem"
        self.delivered = 0
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # All processes of Dovecot are in the group of their master.
        os.killpg(self.master.pid, signal.SIGKILL)
        self.master.wait()
        # What was just killed may still be writing for a moment.
        for _ in range(50):
            shutil.rmtree(self.dir, ignore_errors=True)
            if not self.dir.exists():
                return
            time.sleep(0.02)

    def _start(self):
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            self.port, self.tls_port = one.getsockname()[1], other.getsockname()[1]
        greeting = f"Dovecot of process {os.getpid()}"
        arguments = [HERE / "dovecot.sh", self.dir, str(self.port), str(self.tls_port), greeting]
        self.master = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, process_group=0)
        for _ in range(1000):
            if self.master.poll() is not None:
                raise SystemExit(f"Dovecot did not start:\n{self.log()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    # A line before may say that it is still waiting for its own processes.
                    if any(greeting in line for line in connection.makefile(encoding="utf-8")):
                        return
            except OSError:
                pass
            time.sleep(0.01)
        raise SystemExit(f"Dovecot does not greet:\n{self.log()}")

    def log(self):
        path = self.dir / "dovecot.log"
        return path.read_text() if path.exists() else ""

    def deliver(self, user, folder, message, received):
        """Puts `message` (bytes, or the path of a file that is taken away) into a folder, which is made if it is missing."""
        path = self.dir / "mail" / user
        if folder != "INBOX":
            path /= "." + wire_name(folder).replace("/", ".")
        for place in (path, path / "cur", path / "new", path / "tmp"):
            if not place.exists():
                place.mkdir(parents=True)
        self.delivered += 1
        temporary = path / "tmp" / f"{1_700_000_000 + self.delivered}.M{self.delivered}.run"
        if isinstance(message, bytes):
            temporary.write_bytes(message)
        else:
            shutil.move(message, temporary)
        os.utime(temporary, (received, received))
        temporary.rename(path / "cur" / f"{temporary.name},S={temporary.stat().st_size}:2,")

    def hand_over(self):
        """Gives all that was delivered to the user that Dovecot opens mail as: whoever owns the folder of all Maildirs."""
        owner = (self.dir / "mail").stat()
        for folder, _, files in os.walk(self.dir / "mail"):
            for path in [folder, *(os.path.join(folder, file) for file in files)]:
                os.chown(path, owner.st_uid, owner.st_gid)

    def definition(self, name, user, **more):
        """A definition of this mailbox, as an administrator would write it."""
        keys = {
            "name": name,
            "module": "imap",
            "server": "localhost",
            "port": self.tls_port,
            "encryption": "tls",
            "ca_file": str(self.ca_file),
            "account": user,
            "password": PASSWORD,
            **more,
        }
        values = (f"{key} = {value if isinstance(value, int) else toml_string(value)}\n" for key, value in keys.items())
        return "".join(values)


def toml_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
