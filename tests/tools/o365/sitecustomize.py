"""Python reads this before a script: the two hosts of Microsoft are the simulator, and no other host can be reached."""

import os
import socket

HOSTS = ("login.microsoftonline.com", "graph.microsoft.com")
PORT = int(os.environ["SIMULATOR_PORT"])
look_up = socket.getaddrinfo


def getaddrinfo(host, port, *arguments, **named):
    if host not in HOSTS:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is none of {HOSTS}")
    return look_up("127.0.0.1", PORT, *arguments, **named)


socket.getaddrinfo = getaddrinfo
