"""A measuring process: ``python -m mmbench.perf.worker``. One JSON request comes on stdin, one line of JSON goes out.

A process is what is replicated, so each is a fresh interpreter. A ``session`` stays and answers commands, a line each:
``block`` with one block of calls, ``end`` with its peak memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from mmbench.core.errors import MmbenchError
from mmbench.perf.request import Request

# The first key of an answer says how it went.
ERROR, ANSWER = "error", "answer"


def main() -> int:
    """Answers one request; a failure of the user's kind is an answer, too."""
    # What a model prints must not run into the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = Request.model_validate_json(sys.stdin.readline())
    try:
        _answer(request, out)
    except MmbenchError as error:
        say(out, {ERROR: str(error), "exit_code": int(error.exit_code)})
    return 0


def _answer(request: Request, out: TextIO) -> None:
    from mmbench.perf import ready

    started = request.started or time.time()
    subject = ready.prepare(request.subject, started)
    if request.kind == "session":
        from mmbench.perf.session import serve

        serve(subject, request, sys.stdin, out)
        return
    answers = {}
    if request.kind != "details":
        from mmbench.perf.replicate import replicate

        measured = replicate(subject, request)
        answers["replicate"] = measured.model_dump(mode="json")
        request = request.model_copy(update={"batches": measured.sizes})
    if request.kind != "replicate":
        from mmbench.perf.details import details

        answers["details"] = details(subject, request).model_dump(mode="json")
    say(out, {ANSWER: answers if request.kind == "resident" else answers[request.kind]})


def say(out: TextIO, content: dict[str, Any]) -> None:
    """One line of JSON."""
    out.write(json.dumps(content) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
