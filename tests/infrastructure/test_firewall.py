"""What the firewall answers in the function's place, how much it lets through, and that no card gets into its log."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from billing.web.answers import HTTP_STATUS
from billing.web.request import LARGEST_BODY
from tests.infrastructure.stacks import deployment

FIREWALL = {
    resource.type: resource.properties
    for resource in deployment("all that can be turned on").resources
    if resource.stack == "infra/firewall.yaml"
}
WEB_ACL = FIREWALL["AWS::WAFv2::WebACL"]
RULES = {rule["Name"]: rule for rule in WEB_ACL["Rules"]}
OWN_ANSWERS = {name: rule["Action"]["Block"]["CustomResponse"] for name, rule in RULES.items() if "Action" in rule}


@pytest.mark.parametrize("rule", OWN_ANSWERS)
def test_its_own_answers_are_the_contracts(rule: str) -> None:
    answer = OWN_ANSWERS[rule]
    body = WEB_ACL["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
    words = json.loads(body["Content"])
    assert body["ContentType"] == "APPLICATION_JSON"
    assert words.keys() == {"status", "code", "message", "request_id"}
    assert HTTP_STATUS[words["code"]] == answer["ResponseCode"]
    assert re.search(r"[가-힣]", words["message"])


@pytest.mark.parametrize("rule", OWN_ANSWERS)
def test_any_page_may_read_its_own_answers(rule: str) -> None:
    headers = {header["Name"]: header["Value"] for header in OWN_ANSWERS[rule]["ResponseHeaders"]}
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert ("Retry-After" in headers) == (OWN_ANSWERS[rule]["ResponseCode"] == 429)


@pytest.mark.parametrize("rule", OWN_ANSWERS)
def test_nobody_keeps_its_own_answers_or_takes_them_for_something_else(rule: str) -> None:
    """Source: AWS WAF developer guide, "Custom responses for Block actions": any header but Content-Type."""
    headers = {header["Name"]: header["Value"] for header in OWN_ANSWERS[rule]["ResponseHeaders"]}
    assert (headers.get("Cache-Control"), headers.get("X-Content-Type-Options")) == ("no-store", "nosniff")


def test_it_lets_through_what_the_function_takes_and_no_more() -> None:
    size = RULES["BodySize"]["Statement"]["SizeConstraintStatement"]
    assert (size["ComparisonOperator"], size["Size"]) == ("GT", LARGEST_BODY)
    assert size["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    overrides = RULES["Common"]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}} in overrides


def test_nothing_of_a_body_an_address_or_a_credential_gets_into_its_log() -> None:
    protections = WEB_ACL["DataProtectionConfig"]["DataProtections"]
    assert all(protection.keys() == {"Action", "Field"} for protection in protections), "no exception for matched data"
    assert {protection["Action"] for protection in protections} == {"SUBSTITUTION"}
    whole = {protection["Field"]["FieldType"] for protection in protections if "FieldKeys" not in protection["Field"]}
    assert whole == {"BODY", "QUERY_STRING", "SINGLE_QUERY_ARGUMENT", "SINGLE_COOKIE"}
    headers = [name for protection in protections for name in protection["Field"].get("FieldKeys", [])]
    assert {"authorization", "cookie", "referer"} <= set(headers)


def test_no_request_is_kept_as_a_sample() -> None:
    assert {settings["SampledRequestsEnabled"] for settings in visibility(WEB_ACL)} == {False}


def visibility(value: Any) -> Iterator[dict[str, Any]]:
    match value:
        case dict():
            if "VisibilityConfig" in value:
                yield value["VisibilityConfig"]
            for part in value.values():
                yield from visibility(part)
        case list():
            for part in value:
                yield from visibility(part)


def test_only_what_was_blocked_or_counted_is_logged() -> None:
    logging = FIREWALL["AWS::WAFv2::LoggingConfiguration"]
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    [destination] = logging["LogDestinationConfigs"]
    assert destination.endswith(":log-group:" + FIREWALL["AWS::Logs::LogGroup"]["LogGroupName"])
    assert FIREWALL["AWS::Logs::LogGroup"]["LogGroupName"].startswith("aws-waf-logs-")
