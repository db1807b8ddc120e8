"""A simulated Microsoft 365 for measurements: one simulator, its control interface, and a definition of it."""

import atexit
import http.client
import json
import os
import ssl
import subprocess
import tempfile

from mail_server import toml_string

TENANT = "8c3f5a4e-7f5d-4c3e-9d0e-2b0f5d1c7a11"
CLIENT = "4b0d2f8c-1111-4a55-8f3e-6f1d2c3b4a59"
SECRET = "Uep8Q~secret.of-the_app"


class Tenant:
    """Runs between `with` and its end. `options` are those of the simulator."""

    def __init__(self, program, *options):
        self.program, self.options = program, options

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        self.ca_file = os.path.join(self.dir.name, "ca.pem")
        login = ["--tenant", TENANT, "--client-id", CLIENT, "--client-secret", SECRET]
        self.process = subprocess.Popen(
            [self.program, "--ca-dir", self.dir.name, *login, *self.options], stdout=subprocess.PIPE, text=True
        )
        atexit.register(self.process.kill)
        self.url = self.process.stdout.readline().strip()
        if self.process.stdout.readline().strip() != "ready":
            self.__exit__()
            raise SystemExit("the simulator did not start")
        self.port = int(self.url.rpartition(":")[2])
        self.connection = None
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.dir.cleanup()

    def control(self, op, **more):
        """What the head of the simulator's crate describes."""
        if self.connection is None:
            trusted = ssl.create_default_context(cafile=self.ca_file)
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusted)
        self.connection.request("POST", "/_control", json.dumps({"op": op, **more}))
        told = json.load(self.connection.getresponse())
        if "error" in told:
            raise SystemExit(f"{op}: {told['error']}")
        return told

    def cpu(self):
        """Seconds of CPU time that the simulator has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def definition(self, name, **more):
        """A definition of this tenant, as an administrator would write it."""
        keys = {
            "name": name,
            "module": "o365",
            "tenant": TENANT,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "mailboxes": "all",
            "login_url": self.url,
            "graph_url": self.url,
            "ca_file": self.ca_file,
            **more,
        }
        values = (f"{key} = {value if isinstance(value, int) else toml_string(value)}\n" for key, value in keys.items())
        return "".join(values)
