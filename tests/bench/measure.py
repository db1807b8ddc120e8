"""What the benchmarks share: a program's turns are measured, compared, and put down in docs/benchmarks.md."""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHIVISTA = ROOT / "target" / "release" / "archivista"
PAGE = ROOT / "docs" / "benchmarks.md"
MIB = 1 << 20


@dataclasses.dataclass
class Turn:
    messages: int
    wall: float  # seconds
    cpu: float  # seconds
    memory: float  # MiB
    written: float  # MiB
    disk: float  # MiB

    @property
    def rate(self):
        return self.messages / self.wall


MEASURES = {
    "wall": "time (s)",
    "rate": "messages per second",
    "cpu": "CPU time (s)",
    "memory": "peak memory (MiB)",
    "written": "written to disk (MiB)",
    "disk": "kept on disk (MiB)",
}


@contextlib.contextmanager
def emptied(name):
    """An empty folder in target/, which is taken away at the end."""
    place = ROOT / "target" / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place)


class Process:
    """A command under GNU time, which is small: the peak of a process begins with the memory of the one that started it."""

    def __init__(self, command, counted, stdin=subprocess.DEVNULL, **options):
        self.command, self.counted = command, counted
        self.started = time.perf_counter()
        self.time = subprocess.Popen(["time", "--quiet", "-f", "%U %S %M %O", "-o", counted, *command], stdin=stdin, **options)

    def is_running(self):
        return self.time.poll() is None

    def kill(self):
        """Kills the command itself, so that GNU time can still tell what it used. Whether there was something to kill."""
        children = pathlib.Path(f"/proc/{self.time.pid}/task/{self.time.pid}/children")
        try:
            child = int(children.read_text())
            os.kill(child, 9)
        except (OSError, ValueError):
            return False
        return True

    def end(self):
        """Waits for the end: exit code, wall and CPU seconds, peak MiB, MiB written."""
        code = self.time.wait()
        wall = time.perf_counter() - self.started
        user, system, memory, blocks = self.counted.read_text().split()
        return code, wall, float(user) + float(system), int(memory) / 1024, int(blocks) * 512 / MIB


def kept(place):
    """MiB that the files take."""
    return sum(path.lstat().st_blocks * 512 for path in place.rglob("*")) / MIB


def turn(tool, place, expected):
    """One fetch into an empty target; all messages have to arrive."""
    target = place / "target"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    command, environment = tool.prepare(target)
    # What was written before must not be waited for by the one who syncs next.
    os.sync()
    with open(place / "said", "w+b") as said:
        process = Process(command, place / "counted", env={**os.environ, **environment}, stdout=said, stderr=said)
        code, wall, cpu, memory, written = process.end()
        if code:
            said.seek(0)
            raise SystemExit(f"{command[0]} ended with {code}:\n{said.read().decode(errors='replace')}")
    found = tool.count(target)
    if found != expected:
        raise SystemExit(f"{command[0]} fetched {found} of {expected} messages")
    result = Turn(expected, wall, cpu, memory, written, kept(target / "data"))
    shutil.rmtree(target)
    return result


def rounds(tools, place, expected, count):
    """`count` turns of every tool, alternating, after one of the first that is not counted: it warms the server's caches."""
    turns = {name: [] for name in tools}
    first = next(iter(tools))
    print(f"warm-up\t{first}\t{turn(tools[first], place, expected)}", flush=True)
    for number in range(1, count + 1):
        for name, tool in tools.items():
            turns[name].append(turn(tool, place, expected))
            print(f"{number}\t{name}\t{turns[name][-1]}", flush=True)
    return turns


def draw(name, measured):
    """Draws docs/pictures/NAME.svg. `measured`: for each head, the turns of each tool."""
    kept = ROOT / "target" / f"{name}.json"
    kept.write_text(json.dumps({head: {tool: [dataclasses.asdict(one) for one in all_] for tool, all_ in turns.items()} for head, turns in measured.items()}))
    subprocess.run([sys.executable, ROOT / "tests" / "bench" / "draw.py", kept, ROOT / "docs" / "pictures" / f"{name}.svg"], check=True)


def table(turns):
    """The first is compared with each of the others: its measure over theirs stands behind theirs."""
    median = {name: {key: statistics.median(getattr(one, key) for one in all_) for key in MEASURES} for name, all_ in turns.items()}
    ours, *peers = turns
    heads = [ours, *(head for name in peers for head in (name, "ratio"))]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for key, label in MEASURES.items():
        digits = 2 if key in ("wall", "cpu") else 1
        cells = []
        for name, all_ in turns.items():
            values = [getattr(one, key) for one in all_]
            cells.append(f"{median[name][key]:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})")
            if name != ours:
                theirs = median[name][key]
                cells.append(f"{median[ours][key] / theirs:.2f}" if theirs else "")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def filesystem(place):
    found = subprocess.run(["stat", "-f", "-c", "%T", place], check=True, stdout=subprocess.PIPE, text=True)
    return found.stdout.strip()


def archivista_version():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], check=False, stdout=subprocess.PIPE, text=True)
    return f"archivista {commit.stdout.strip()}"


def circumstances(target, variable, versions):
    """When, where, with what, and how to do it again."""
    options = " ".join(option for option in sys.argv[1:] if option != "--dry-run")
    repeat = f"make {target} {variable}='{options}'" if options else f"make {target}"
    return f"{datetime.date.today():%d %B %Y}. {machine()}, {filesystem(ROOT)}; {'; '.join(versions)}. Again: `{repeat}`\n"


def write_page(name, text):
    """Replaces what stands between the markers of this name."""
    start, end = f"<!-- {name}: start -->\n", f"<!-- {name}: end -->\n"
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(start)
    _, tail = rest.split(end)
    PAGE.write_text(head + start + text + end + tail, encoding="utf-8")
