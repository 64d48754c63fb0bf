"""Runs the sections of a client's trial and prints what each one saw.

The plan (broker, records, names) arrives as one JSON document on standard input. Every section prints one line of JSON:
its result, or the error that ended it. Judging is not done here.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

Section = Callable[[dict[str, Any]], Any]


def run(client: str, sections: dict[str, Section]) -> None:
    """Runs every section, also after one has failed."""
    plan = json.load(sys.stdin)
    say("client", {"result": client})
    for name, section in sections.items():
        try:
            say(name, {"result": section(plan)})
        except Exception:  # whatever a client throws is a finding about the broker
            say(name, {"error": traceback.format_exc()})


def say(section: str, outcome: dict[str, Any]) -> None:
    print(json.dumps({"section": section, **outcome}), flush=True)


def until(what: str, look: Callable[[], Any], within_s: float = 30) -> Any:
    """Calls `look` until it answers something true. It is expected to wait inside, as poll() of consumers does."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
    raise TimeoutError(f"not within {within_s} s: {what}")
