"""How the server bears 10,000 idle connections, half of them slow, and more: run by hand.

MEDIALITH_TOOL=target/release/medialith ~/.cache/medialith/sdk/bin/python tests/sdk/idle.py
Prints resident memory of the server in KiB (now, highest) and times of calls beside it in milliseconds (median, slowest).
"""

import pathlib
import re
import resource
import socket
import time

from server import Server, Sync

limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
server = Server()
host, port = server.endpoint.split(":")
caller = Sync(server.config())
caller.call("create_project", project_name="p")


def connect(count):
    return [socket.create_connection((host, int(port))) for _ in range(count)]


def tell(what):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    memory = [re.search(rf"{name}:\s+(\d+)", text)[1] for name in ("VmRSS", "VmHWM")]
    times = []
    for _ in range(50):
        begun = time.time()
        caller.call("get_project", project_name="p")
        times.append((time.time() - begun) * 1000)
    times.sort()
    print(f"{what}: {memory[0]} KiB, highest {memory[1]} KiB; calls {times[25]:.1f} ms, slowest {times[-1]:.1f} ms")


tell("no connections")
begun = time.time()
idle = connect(10_000)
tell(f"10,000 idle connections, opened in {time.time() - begun:.1f} s")
for slow in idle[:5000]:
    slow.send(b"POST /?a=")
time.sleep(1)
tell("5,000 of them with half a request")
more = connect(4000)
tell("4,000 more than there are places")
time.sleep(32)
tell("after the time to receive a request")
for connection in idle + more:
    connection.close()
tell("all closed")
server.stop()
