"""Run with the packages of benchmarks/official_client before all others: what the client of PyPI makes of answers.

Standard input is the simulator's address and calls, [[method, parameters], …]; standard output what each came to.
"""

import json
import sys
from typing import Any

from iamport import Iamport  # type: ignore[import-not-found]

from infra.local.iamport import LOCAL_IMP_KEY, LOCAL_IMP_SECRET


def main() -> None:
    url, calls = json.load(sys.stdin)
    client = Iamport(LOCAL_IMP_KEY, LOCAL_IMP_SECRET, f"{url}/")
    print(json.dumps([_outcome(client, method, parameters) for method, parameters in calls]))


def _outcome(client: Any, method: str, parameters: dict[str, Any]) -> list[Any]:
    try:
        return ["done", getattr(client, method)(**parameters)]
    except Iamport.ResponseError as error:  # HTTP 200 and a code other than 0
        return ["refused", error.code, error.message]
    except Iamport.HttpError as error:
        return ["http", error.code]


if __name__ == "__main__":
    main()
