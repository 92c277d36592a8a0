"""How long the first card holder waits whom a new execution environment serves.

AWS's runtime interface emulator starts awslambdaric at the first invocation: from there to the answer is what is
measured, so the start of the emulator itself is not in it.
"""

import compileall
import json
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.attempts import new_event, require_success
from benchmarks.contenders import Contender, Surroundings
from benchmarks.figures import GUIDE, Row, times
from tests.e2e.emulator import RUNTIME_PACKAGES, run_lambda

STARTS = 15

EMPTY_HANDLER = """
def handler(event, context):
    return {"body": '{"status": "success"}'}
"""


def measure(surroundings: Surroundings) -> list[Row]:
    compile_runtime()
    with TemporaryDirectory(prefix="benchmarks-") as directory:
        empty = _empty(surroundings.ours, Path(directory))
        contenders = (surroundings.ours, surroundings.guide_example, empty)
        for contender in contenders:
            make_read_only(contender.package)
            first_answer(contender, f"{contender.name}-cold-first")  # fills the machine's cache of files
        rounds = [
            [first_answer(contender, f"{contender.name}-cold-{number}") for contender in contenders]
            for number in range(STARTS)
        ]
    ours, guide, floor = zip(*rounds, strict=True)
    return [
        Row("cold answer, p50", "ms", median(ours), guide=median(guide), limits=(times(0.65, median(guide), GUIDE),)),
        Row("cold answer, slowest", "ms", max(ours), guide=max(guide)),
        Row("cold answer of an empty function, p50", "ms", median(floor), guide=median(floor)),
    ]


def first_answer(contender: Contender, customer_uid: str) -> float:
    """Milliseconds. Raises AttemptFailed."""
    event = new_event(customer_uid, new=True)
    with (
        TemporaryDirectory(prefix="benchmarks-") as directory,
        run_lambda(contender.function, contender.package, Path(directory)) as runtime,
    ):
        started = time.perf_counter()
        answer = runtime.invoke(event)
        milliseconds = (time.perf_counter() - started) * 1000
    require_success([json.loads(answer["body"])])
    return milliseconds


def compile_runtime() -> None:
    """awslambdaric comes compiled in Lambda's image; here it may not have run before, and nothing is written later."""
    for name in RUNTIME_PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        compileall.compile_dir(Path(spec.origin).parent, quiet=1)


def make_read_only(package: Path) -> None:
    """As /var/task is. For root too, PYTHONDONTWRITEBYTECODE keeps Python from writing."""
    for path in (package, *package.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)


def _empty(like: Contender, package: Path) -> Contender:
    (package / "app.py").write_text(EMPTY_HANDLER)
    return Contender("empty", replace(like.function, handler="app.handler"), package)
