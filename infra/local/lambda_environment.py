"""The environment variables that a function starts with, for everything here that starts one.

Source: AWS Lambda developer guide, "Defined runtime environment variables".
"""

import os

from infra.local.intrinsics import REGION
from infra.local.template import Function

MADE_UP_ACCOUNT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
}

NOTHING_OF_THIS_MACHINE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""AWS's SDK looks for an account nowhere but in the environment."""


def lambda_environment(function: Function) -> dict[str, str]:
    """Lambda's own variables and the function's; of whoever runs this, PATH alone: no AWS profile, no proxy.

    Without AWS_LAMBDA_INITIALIZATION_TYPE, by which the function fetches its token before the first request: who wants
    that adds it.
    """
    return {
        "PATH": os.environ["PATH"],
        **NOTHING_OF_THIS_MACHINE,
        **set_by_lambda(function),
        **function.environment,
    }


def set_by_lambda(function: Function) -> dict[str, str]:
    return {
        **MADE_UP_ACCOUNT,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_megabytes),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
