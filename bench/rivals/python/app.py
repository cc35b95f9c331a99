"""Confirms orders from SQS by e-mail: the job of the bench with boto3 and Powertools."""

import hashlib
import os
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

RETENTION_SECONDS = 60 * 24 * 3600
SHOP_URL = "https://shop.example.com"
PAGES_URL = "https://pages.example.com"
SUPPORT_EMAIL = "help@example.com"
PREFERENCES_TABLE = os.environ["PREFERENCES_TABLE"]
LEDGER_TABLE = os.environ["LEDGER_TABLE"]
IDEMPOTENCY_TABLE = os.environ["IDEMPOTENCY_TABLE"]
SENDER_EMAIL = os.environ["SENDER_EMAIL"]

logger = Logger(service="rival-python")
metrics = Metrics(namespace="E-Com67", service="rival-python")
processor = BatchProcessor(event_type=EventType.SQS)

aws = Config(retries={"mode": "standard"}, tcp_keepalive=True)
dynamodb = boto3.client("dynamodb", config=aws)
ses = boto3.client("sesv2", config=aws)

claims = DynamoDBPersistenceLayer(table_name=IDEMPOTENCY_TABLE, boto3_client=dynamodb)
idempotency = IdempotencyConfig(event_key_jmespath="notification_id", expires_after_seconds=RETENTION_SECONDS)

templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("message")),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
html_template = templates.get_template("order_confirmation.html")
text_template = templates.get_template("order_confirmation.txt")


@dataclass(frozen=True)
class Notification:
    """One confirmation, under the id that every repetition of its event has."""

    notification_id: str
    kind: str
    user_id: str | None
    recipient: str
    order: dict

    @classmethod
    def of(cls, event: dict) -> "Notification":
        kind, order = event["notificationType"], event["orderData"]
        if kind != "order_confirmation":
            raise ValueError("expected an order_confirmation")
        user_id, recipient = event.get("userId"), event["recipientEmail"]
        key = event.get("idempotencyKey")
        fact = f"key|{key}" if key else f"{kind}|{user_id or recipient}|{order['orderId']}"
        return cls(hashlib.sha256(fact.encode()).hexdigest()[:32], kind, user_id, recipient, order)


def wants_email(notification: Notification) -> bool:
    if notification.user_id is None:
        return True
    key = {"userId": {"S": notification.user_id}}
    item = dynamodb.get_item(TableName=PREFERENCES_TABLE, Key=key).get("Item", {})
    email = item.get("preferences", {}).get("M", {}).get("email", {}).get("M", {})
    return email.get(notification.kind, {}).get("BOOL", True)


def record_decision(notification: Notification, state: str) -> None:
    now = int(time.time())
    item = {
        "notificationId": {"S": notification.notification_id},
        "notificationType": {"S": notification.kind},
        "orderId": {"S": notification.order["orderId"]},
        "channels": {"L": [{"S": "email"}]},
        "state": {"S": state},
        "timestamp": {"N": str(now)},
        "expiresAt": {"N": str(now + RETENTION_SECONDS)},
    }
    if notification.user_id is not None:
        item["userId"] = {"S": notification.user_id}
    dynamodb.put_item(TableName=LEDGER_TABLE, Item=item)


def record_sent(notification: Notification, message_id: str) -> None:
    dynamodb.update_item(
        TableName=LEDGER_TABLE,
        Key={"notificationId": {"S": notification.notification_id}},
        UpdateExpression="SET #state = :sent, messageId = :message, sentAt = :now",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={
            ":sent": {"S": "sent"},
            ":message": {"S": message_id},
            ":now": {"N": str(int(time.time()))},
        },
    )


def facts(notification: Notification) -> dict:
    order = notification.order
    currency = order.get("currency", "EUR")

    def money(amount: Decimal | str | float) -> str:
        return f"{Decimal(str(amount)):.2f} {currency}"

    def optional_money(name: str) -> str | None:
        return money(order[name]) if order.get(name) is not None else None

    address = order.get("shippingAddress")
    at = datetime.fromisoformat(order["timestamp"]) if order.get("timestamp") else None
    return {
        "subject": f"We have received your order {order['orderId']}",
        "order_id": order["orderId"],
        "customer_name": order.get("customerName") or "customer",
        "items": [
            {
                "name": item["name"],
                "quantity": item["quantity"],
                "amount": money(Decimal(str(item["price"])) * item["quantity"]),
            }
            for item in order["items"]
        ],
        "item_count": sum(item["quantity"] for item in order["items"]),
        "subtotal": optional_money("subtotal"),
        "tax": optional_money("taxAmount"),
        "total": money(order["totalAmount"]),
        "placed_on": f"{at.day} {at:%B %Y}" if at else None,
        "address": [line.strip() for line in address.split(",")] if address else None,
        "shop_url": SHOP_URL,
        "support_email": SUPPORT_EMAIL,
        "preferences_url": f"{PAGES_URL}/preferences/{notification.notification_id}",
        "unsubscribe_url": f"{PAGES_URL}/unsubscribe/{notification.notification_id}",
    }


def send(notification: Notification) -> str:
    shown = facts(notification)
    answer = ses.send_email(
        FromEmailAddress=SENDER_EMAIL,
        Destination={"ToAddresses": [notification.recipient]},
        Content={
            "Simple": {
                "Subject": {"Data": shown["subject"], "Charset": "UTF-8"},
                "Body": {
                    "Html": {"Data": html_template.render(shown), "Charset": "UTF-8"},
                    "Text": {"Data": text_template.render(shown), "Charset": "UTF-8"},
                },
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": f"<{shown['unsubscribe_url']}>"},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                ],
            }
        },
        EmailTags=[{"Name": "notification-id", "Value": notification.notification_id}],
    )
    return answer["MessageId"]


@idempotent_function(data_keyword_argument="notification", persistence_store=claims, config=idempotency)
def confirm(*, notification: Notification) -> dict:
    """Runs once per notification: a repetition is answered from the table of claims."""
    if not wants_email(notification):
        record_decision(notification, "not_wanted")
        return {"outcome": "not_wanted"}
    record_decision(notification, "decided")
    message_id = send(notification)
    record_sent(notification, message_id)
    metrics.add_metric(name="EmailNotificationSuccess", unit=MetricUnit.Count, value=1)
    return {"outcome": "sent", "messageId": message_id}


def confirm_record(record: SQSRecord) -> dict:
    return confirm(notification=Notification.of(record.json_body))


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict, context: LambdaContext) -> dict:
    idempotency.register_lambda_context(context)
    response = process_partial_response(event=event, record_handler=confirm_record, processor=processor, context=context)
    logger.info("settled a batch", records=len(event["Records"]), failed=len(response["batchItemFailures"]))
    return response
