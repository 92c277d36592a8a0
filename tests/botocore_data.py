"""botocore's description of AWS's services, which each of its sessions reads anew: most of what a client takes to make.

A container makes its own session and clients, and the tests have hundreds of containers; what they read is one thing.
"""

from functools import wraps
from typing import Any

from botocore.loaders import Loader

_READ: dict[Any, Any] = {}


def read_once() -> None:
    """From now on in this process."""
    make_loader = Loader.__init__

    @wraps(make_loader)
    def with_what_was_read(loader: Loader, *arguments: Any, **named: Any) -> None:
        make_loader(loader, *arguments, **named)
        vars(loader)["_cache"] = _READ  # no name of it is public

    Loader.__init__ = with_what_was_read  # type: ignore[assignment,method-assign]
