"""The published guide's `/subscription/issue-billing`, line by line, as a Lambda function.

Source: Iamport's guide "Subscription Payments", step 1 A (docs.iamport.kr/en-US/implementation/subscription), in
Node.js with Express and axios. What changes is the language, and that the key comes from Secrets Manager at each
request: the guide has it in the source.
"""

import json
import os
from typing import Any

import boto3
import requests

secrets_manager = boto3.client("secretsmanager")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        request = json.loads(event["body"])
        secret = json.loads(secrets_manager.get_secret_value(SecretId=os.environ["IAMPORT_SECRET_ID"])["SecretString"])
        get_token = requests.post(
            f"{os.environ['IAMPORT_BASE_URL']}/users/getToken",
            json={"imp_key": secret["imp_key"], "imp_secret": secret["imp_secret"]},
            timeout=10,
        )
        get_token.raise_for_status()
        access_token = get_token.json()["response"]["access_token"]
        issue_billing = requests.post(
            f"{os.environ['IAMPORT_BASE_URL']}/subscribe/customers/{request['customer_uid']}",
            headers={"Authorization": access_token},
            json={
                "card_number": request["card_number"],
                "expiry": request["expiry"],
                "birth": request["birth"],
                "pwd_2digit": request["pwd_2digit"],
            },
            timeout=10,
        )
        issue_billing.raise_for_status()
        answer = issue_billing.json()
        if answer["code"] == 0:
            return send(200, {"status": "success", "message": "Billing has successfully issued"})
        return send(200, {"status": "failed", "message": answer["message"]})
    except Exception as error:  # noqa: BLE001 (as the guide does)
        return send(400, {"error": str(error)})


def send(status_code: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status_code, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
