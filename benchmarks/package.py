"""What Lambda downloads before a cold start."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import Surroundings
from benchmarks.figures import GUIDE, Limit, Row, times

LARGEST = Limit(6.0)


def measure(surroundings: Surroundings) -> list[Row]:
    ours, guide = (zipped(contender.package) for contender in (surroundings.ours, surroundings.guide_example))
    return [Row("package, zipped", "MB", ours, guide=guide, limits=(LARGEST, times(0.4, guide, GUIDE)))]


def zipped(package: Path) -> float:
    with TemporaryDirectory(prefix="benchmarks-") as directory:
        return Path(shutil.make_archive(f"{directory}/package", "zip", package)).stat().st_size / 1_000_000
