// Confirms orders from SQS by e-mail: the job of the bench with SDK v3 and Powertools.

import { createHash } from "node:crypto";
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import Handlebars from "handlebars";
import htmlSource from "../message/order_confirmation.html.hbs";
import textSource from "../message/order_confirmation.txt.hbs";

const RETENTION_SECONDS = 60 * 24 * 3600;
const SHOP_URL = "https://shop.example.com";
const PAGES_URL = "https://pages.example.com";
const SUPPORT_EMAIL = "help@example.com";
const { PREFERENCES_TABLE, LEDGER_TABLE, IDEMPOTENCY_TABLE, SENDER_EMAIL } = process.env;

const logger = new Logger({ serviceName: "rival-node" });
const metrics = new Metrics({ namespace: "E-Com67", serviceName: "rival-node" });
const processor = new BatchProcessor(EventType.SQS);

const dynamo = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(dynamo);
const ses = new SESv2Client({});

const claims = new DynamoDBPersistenceLayer({ tableName: IDEMPOTENCY_TABLE, awsSdkV3Client: dynamo });
const idempotency = new IdempotencyConfig({
  eventKeyJmesPath: "notificationId",
  expiresAfterSeconds: RETENTION_SECONDS,
});

const writeHtml = Handlebars.compile(htmlSource);
const writeText = Handlebars.compile(textSource, { noEscape: true });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** One confirmation, under the id that every repetition of its event has. */
function notificationOf(event) {
  const { notificationType: kind, userId, recipientEmail, idempotencyKey, orderData: order } = event;
  if (kind !== "order_confirmation" || !recipientEmail || !order?.orderId) {
    throw new Error("expected an order_confirmation with its order and recipient");
  }
  const fact = idempotencyKey ? `key|${idempotencyKey}` : `${kind}|${userId ?? recipientEmail}|${order.orderId}`;
  const notificationId = createHash("sha256").update(fact).digest("hex").slice(0, 32);
  return { notificationId, kind, userId, recipient: recipientEmail, order };
}

async function wantsEmail({ userId, kind }) {
  if (!userId) return true;
  const { Item } = await documents.send(new GetCommand({ TableName: PREFERENCES_TABLE, Key: { userId } }));
  return Item?.preferences?.email?.[kind] ?? true;
}

async function recordDecision({ notificationId, kind, userId, order }, state) {
  const now = Math.floor(Date.now() / 1000);
  const Item = {
    notificationId,
    notificationType: kind,
    orderId: order.orderId,
    channels: ["email"],
    state,
    timestamp: now,
    expiresAt: now + RETENTION_SECONDS,
    ...(userId && { userId }),
  };
  await documents.send(new PutCommand({ TableName: LEDGER_TABLE, Item }));
}

async function recordSent({ notificationId }, messageId) {
  await documents.send(
    new UpdateCommand({
      TableName: LEDGER_TABLE,
      Key: { notificationId },
      UpdateExpression: "SET #state = :sent, messageId = :message, sentAt = :now",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: { ":sent": "sent", ":message": messageId, ":now": Math.floor(Date.now() / 1000) },
    }),
  );
}

function factsOf({ notificationId, order }) {
  const money = (amount) => `${Number(amount).toFixed(2)} ${order.currency ?? "EUR"}`;
  const optionalMoney = (amount) => (amount == null ? undefined : money(amount));
  return {
    subject: `We have received your order ${order.orderId}`,
    order_id: order.orderId,
    customer_name: order.customerName ?? "customer",
    items: order.items.map(({ name, quantity, price }) => ({ name, quantity, amount: money(price * quantity) })),
    item_count: order.items.reduce((count, item) => count + item.quantity, 0),
    subtotal: optionalMoney(order.subtotal),
    tax: optionalMoney(order.taxAmount),
    total: money(order.totalAmount),
    placed_on: order.timestamp && day.format(new Date(order.timestamp)),
    address: order.shippingAddress?.split(",").map((line) => line.trim()),
    shop_url: SHOP_URL,
    support_email: SUPPORT_EMAIL,
    preferences_url: `${PAGES_URL}/preferences/${notificationId}`,
    unsubscribe_url: `${PAGES_URL}/unsubscribe/${notificationId}`,
  };
}

async function send(notification) {
  const facts = factsOf(notification);
  const content = (Data) => ({ Data, Charset: "UTF-8" });
  const { MessageId } = await ses.send(
    new SendEmailCommand({
      FromEmailAddress: SENDER_EMAIL,
      Destination: { ToAddresses: [notification.recipient] },
      Content: {
        Simple: {
          Subject: content(facts.subject),
          Body: { Html: content(writeHtml(facts)), Text: content(writeText(facts)) },
          Headers: [
            { Name: "List-Unsubscribe", Value: `<${facts.unsubscribe_url}>` },
            { Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click" },
          ],
        },
      },
      EmailTags: [{ Name: "notification-id", Value: notification.notificationId }],
    }),
  );
  return MessageId;
}

/** Runs once per notification: a repetition is answered from the table of claims. */
const confirm = makeIdempotent(
  async (notification) => {
    if (!(await wantsEmail(notification))) {
      await recordDecision(notification, "not_wanted");
      return { outcome: "not_wanted" };
    }
    await recordDecision(notification, "decided");
    const messageId = await send(notification);
    await recordSent(notification, messageId);
    metrics.addMetric("EmailNotificationSuccess", MetricUnit.Count, 1);
    return { outcome: "sent", messageId };
  },
  { persistenceStore: claims, config: idempotency },
);

const confirmRecord = async (record) => confirm(notificationOf(JSON.parse(record.body)));

export async function handler(event, context) {
  logger.addContext(context);
  idempotency.registerLambdaContext(context);
  try {
    const response = await processPartialResponse(event, confirmRecord, processor, { context });
    logger.info("settled a batch", { records: event.Records.length, failed: response.batchItemFailures.length });
    return response;
  } finally {
    metrics.publishStoredMetrics();
  }
}
