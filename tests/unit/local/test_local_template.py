"""What the local service reads in a template."""

from pathlib import Path

import pytest

from infra.local.intrinsics import TemplateError
from infra.local.template import Template

TEMPLATE = """
Parameters:
  Origins: {Type: String, Default: "*"}
  Secret: {Type: String, Default: ""}
  Subnets: {Type: CommaDelimitedList, Default: ""}
Conditions:
  CreatesSecret: !Equals [!Ref Secret, ""]
  IsInVpc: !Not [!Equals [!Join ["", !Ref Subnets], ""]]
Globals:
  Function:
    Timeout: 7
    Environment: {Variables: {SHARED: yes}}
Resources:
  Keys:
    Type: AWS::SecretsManager::Secret
    Condition: CreatesSecret
    Properties: {Name: !Sub "${AWS::StackName}/keys", KmsKeyId: !Ref AWS::NoValue}
  Api:
    Type: AWS::Serverless::Api
    Properties: {BinaryMediaTypes: [image~1png], Cors: {AllowOrigin: !Sub "'${Origins}'"}}
  Issue:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Environment:
        Variables:
          SECRET: !If [CreatesSecret, !Ref Keys, !Ref Secret]
          RETRIES: 2
          SUBNETS: !If [IsInVpc, !Join [" ", !Ref Subnets], none]
      Policies: [!GetAtt Elsewhere.Arn]
      Events:
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Method: post, Path: /cards}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE)
    return file


def test_a_function_has_its_own_properties_and_the_globals(path: Path) -> None:
    function = Template(path).function("Issue", {"Keys": "arn:keys"})
    assert function.code == path.parent / "code"
    assert function.timeout_seconds == 7
    assert function.environment == {"SHARED": "true", "SECRET": "arn:keys", "RETRIES": "2", "SUBNETS": "none"}


def test_a_parameter_overrides_its_default(path: Path) -> None:
    template = Template(path, {"Origins": "https://shop.example"})
    assert template.api("Api").preflight_headers == {
        "Access-Control-Allow-Origin": "https://shop.example",
        "Access-Control-Allow-Methods": "OPTIONS,POST",
    }


def test_a_list_is_given_with_commas(path: Path) -> None:
    function = Template(path, {"Subnets": "subnet-1,subnet-2"}).function("Issue", {"Keys": "arn:keys"})
    assert function.environment["SUBNETS"] == "subnet-1 subnet-2"


def test_a_resource_exists_where_its_condition_holds(path: Path) -> None:
    assert Template(path).resources("AWS::SecretsManager::Secret") == {"Keys": {"Name": "card-door/keys"}}
    elsewhere = Template(path, {"Secret": "arn:other"})
    assert elsewhere.resources("AWS::SecretsManager::Secret") == {}
    assert elsewhere.function("Issue", {}).environment["SECRET"] == "arn:other"


def test_the_routes_are_those_of_the_function_behind_the_api(path: Path) -> None:
    assert Template(path).function_behind_api() == "Issue"
    assert Template(path).api("Api").routes == {"/cards": ("POST",)}


def test_binary_media_types_are_written_with_a_slash(path: Path) -> None:
    assert Template(path).api("Api").binary_media_types == ("image/png",)


@pytest.mark.parametrize("value", ["!Ref Nothing", "!GetAtt Keys.Arn", '!Sub "${Nothing}"'])
def test_what_cannot_be_worked_out_is_an_error_and_no_empty_text(path: Path, value: str) -> None:
    path.write_text(TEMPLATE.replace("RETRIES: 2", f"RETRIES: {value}"))
    with pytest.raises(TemplateError):
        Template(path).function("Issue", {"Keys": "arn:keys"})
