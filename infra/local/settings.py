"""The operator's settings on this machine: each environment variable that the template fills from a parameter.

Which variables there are, and what they take, is read from the template: a new one comes by itself.
"""

import re
from collections.abc import Mapping
from typing import Any

from infra.local.intrinsics import TemplateError
from infra.local.template import Template

ARE_HERE_ALREADY = ("IAMPORT_SECRET_ID", "FINGERPRINT_SECRET_ID", "ATTEMPTS_TABLE")
"""Settings that name what AWS holds. Here AWS's stand-in holds it, and the local service makes it itself."""


def parameters_from(environment: Mapping[str, str], template: Template) -> dict[str, str]:
    """Parameter to value, of the settings that the environment has. Raises TemplateError, which names the variable."""
    given = {
        variable: parameter
        for variable, parameter in template.parameters_of_variables().items()
        if environment.get(variable)
    }
    for variable, parameter in given.items():
        _require(variable, environment[variable], template.declaration(parameter))
    return {parameter: environment[variable] for variable, parameter in given.items()}


def _require(variable: str, value: str, declaration: Mapping[str, Any]) -> None:
    """What CloudFormation would hold against the value."""
    allowed = [str(one) for one in declaration.get("AllowedValues", ())]
    if allowed and value not in allowed:
        raise TemplateError(f"{variable} takes {' or '.join(allowed)}, not {value!r}")
    if not re.search(declaration.get("AllowedPattern", ""), value):
        raise TemplateError(f"{variable} is not as it should be: {declaration['ConstraintDescription']}")
