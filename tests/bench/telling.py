"""How the benchmarks say what they measured: the figure, and what is to be reached beside it."""

import sys
import time
from collections.abc import Callable
from pathlib import Path


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(
    what: str,
    seconds: float,
    rows: int,
    *,
    ratio: float | None = None,
    of: str = "the limit",
    most: float | None = None,
    least: int | None = None,
) -> None:
    """One line: seconds, rows per second, and the ratio; `most` and `least` are to be reached."""
    told = f"  {what:<46}{seconds:8.1f} s {rows / seconds:10,.0f} rows/s"
    if ratio is not None:
        told += f"{ratio:7.2f} x {of}"
    if most is not None and ratio is not None:
        told += f" (to reach: {most:g} x: {_verdict(ratio <= most)})"
    if least is not None:
        told += f" (to reach: {least:,} rows/s: {_verdict(rows / seconds >= least)})"
    say(told)


def _verdict(is_reached: bool) -> str:
    return "yes" if is_reached else "NO"


def forget_peak() -> int:
    """Start measuring this process's memory anew, and return what it takes now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def grown_since(idle: int, what: str, most: int) -> None:
    """Say how far the memory of this process rose above what it took when idle."""
    grown = (_status("VmHWM") - idle) / 1024
    say(
        f"  {what:<46}{grown:8.0f} MiB above idle (to reach: {most} MiB: {_verdict(grown <= most)})"
    )


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)
