"""An order pipeline as it called the earlier system: two events on the topic, two direct invocations, then a look at the records.

Only the endpoint is new, and that comes from the environment.
"""

import json
import sys
import time

import boto3

suffix, email, phone = sys.argv[1:]
sns, functions = boto3.client("sns"), boto3.client("lambda")
analytics = boto3.resource("dynamodb").Table("e-com67-notification-analytics")
topic = next(t["TopicArn"] for t in sns.list_topics()["Topics"] if t["TopicArn"].endswith(":e-com67-order-notifications"))
user = f"user-{suffix}"

sns.publish(
    TopicArn=topic,
    Message=json.dumps({
        "userId": user,
        "notificationType": "order_confirmation",
        "recipientEmail": email,
        "orderData": {
            "orderId": f"confirmed-{suffix}",
            "customerName": "John Doe",
            "items": [{"name": "Desk lamp", "quantity": 1, "price": 49.5}],
            "totalAmount": 49.5,
        },
    }),
)
sns.publish(
    TopicArn=topic,
    Message=json.dumps({
        "userId": user,
        "notificationType": "order_status_update",
        "recipientEmail": email,
        "recipientPhone": phone,
        "orderData": {"orderId": f"shipped-{suffix}", "status": "SHIPPED", "trackingNumber": "1Z999AA10123456784"},
    }),
)


def confirmation(kind):
    return json.dumps({
        "userId": user,
        "type": "order_confirmation",
        "recipientEmail": email,
        "orderId": f"{kind}-{suffix}",
        "totalAmount": "12.00",
    })


answer = functions.invoke(
    FunctionName="e-com67-notification-orchestrator", InvocationType="RequestResponse", Payload=confirmation("answered")
)
answer = json.loads(answer["Payload"].read())
assert answer["statusCode"] == 200, answer
assert json.loads(answer["body"])["notificationId"], answer
accepted = functions.invoke(
    FunctionName="e-com67-notification-orchestrator", InvocationType="Event", Payload=confirmation("asynchronous")
)
assert accepted["StatusCode"] == 202, accepted

deadline = time.monotonic() + 30
while True:
    records = analytics.query(
        IndexName="userId-timestamp-index",
        KeyConditionExpression="userId = :user",
        ExpressionAttributeValues={":user": user},
        ScanIndexForward=False,
    )["Items"]
    if len(records) == 4:
        break
    assert time.monotonic() < deadline, f"{len(records)} of 4 records"
    time.sleep(0.1)
assert all({"notificationId", "notificationType", "timestamp", "channels", "results", "totalChannels"} <= set(r) for r in records)
moments = [record["timestamp"] for record in records]
assert moments == sorted(moments, reverse=True), moments
