//! One order's news, published to the local stack in a trace of its own, followed, and drawn.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sns::types::MessageAttributeValue;
use clap::Args;
use domain::TraceContext;
use gallery::Chromium;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use traces::{Caption, Span, draw as picture_of, spans_of};

/// How long the way of an order may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The customer, who has no quiet hours: the picture is the same at night.
const CUSTOMER: &str = "user-trace";

/// Whoever tells of the call by which each of the three messages was sent.
const ENDS: [&str; 3] = [
    "send the e-mail",
    "send the text message",
    "put the note into the inbox",
];

/// The local stack, as `stack.py env` exports it.
#[derive(Debug, Args)]
pub(crate) struct Stack {
    /// The emulator, never AWS itself: messages are sent
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    endpoint: String,
    /// What the stack's names begin with
    #[arg(long, env = "E_COM67_PREFIX", default_value = "e-com67")]
    prefix: String,
    /// Where the stack's traces are taken
    #[arg(long, env = "AWS_XRAY_DAEMON_ADDRESS", value_name = "ADDRESS:PORT")]
    collector: String,
    /// Where they are written
    #[arg(long, env = "E_COM67_TRACES", value_name = "FILE")]
    traces: PathBuf,
}

/// Publishes, follows, and draws; the files.
pub(crate) async fn draw(stack: &Stack, out: &Path) -> Result<Vec<PathBuf>> {
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&stack.endpoint)
        .load()
        .await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    introduce(&dynamodb, stack).await?;
    // The functions start with the first order; the second one's way is what is shown.
    let sns = aws_sdk_sns::Client::new(&aws);
    let mut followed = (String::new(), Vec::new());
    for _ in 0..2 {
        let (order, trace) = publish(&sns, stack).await?;
        followed = (order, follow(stack, &trace.trace_id()).await?);
    }
    let (order, spans) = followed;
    let caption = Caption {
        title: format!("Order {order}: one event, three messages"),
        note: "Taken on one machine, on the emulator of the local stack, with functions that are awake: the order of things is that of AWS, their lengths are not."
            .to_owned(),
        prefix: format!("{}-", stack.prefix),
    };
    let svg = picture_of(&spans, &caption);
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    }
    let (vector, pixels) = (out.with_extension("svg"), out.with_extension("png"));
    fs::write(&vector, &svg).with_context(|| format!("could not write {}", vector.display()))?;
    let mut files = vec![vector];
    match photograph(&svg, out)? {
        Some(png) => {
            fs::write(&pixels, png).with_context(|| format!("could not write {}", pixels.display()))?;
            files.push(pixels);
        }
        None => eprintln!("traces: there is no Chromium, and so no PNG"),
    }
    Ok(files)
}

/// Stores what the customer chose: no quiet hours.
async fn introduce(dynamodb: &aws_sdk_dynamodb::Client, stack: &Stack) -> Result<()> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let midnight = || text("00:00");
    let hours = [("start".to_owned(), midnight()), ("end".to_owned(), midnight())];
    dynamodb
        .put_item()
        .table_name(format!("{}-notification-preferences", stack.prefix))
        .item("userId", text(CUSTOMER))
        .item("quietHours", AttributeValue::M(hours.into()))
        .send()
        .await
        .context("could not store the customer's preferences")?;
    Ok(())
}

/// Publishes an order's news, and tells the collector so, as an instrumented shop would tell X-Ray.
async fn publish(sns: &aws_sdk_sns::Client, stack: &Stack) -> Result<(String, TraceContext)> {
    let begun = now();
    let trace = TraceContext::begun(begun, fastrand::u128(..));
    let order = format!("1001-{:04x}", fastrand::u16(..));
    let (own, call) = (fastrand::u64(1..), fastrand::u64(1..));
    let event = json!({
        "userId": CUSTOMER, "notificationType": "order_status_update", "recipientEmail": "ana@example.com",
        // A number of its own each time: one number gets so many text messages a day.
        "recipientPhone": format!("+346{:08}", fastrand::u32(..100_000_000)), "language": "en",
        "orderData": {"orderId": order, "customerName": "Ana", "status": "shipped", "carrier": "UPS", "trackingNumber": "1Z5R89390357567127"},
    });
    let attribute = |value: String| {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
        attribute.build().context("could not write the trace into an attribute")
    };
    let topic = format!(
        "arn:aws:sns:eu-west-1:000000000000:{}-order-notifications",
        stack.prefix
    );
    let header = trace.behind(call).to_string();
    sns.publish()
        .topic_arn(&topic)
        .message(event.to_string())
        .message_attributes("traceparent", attribute(trace.behind(call).traceparent())?)
        .customize()
        .mutate_request(move |request| {
            request.headers_mut().insert("x-amzn-trace-id", header.clone());
        })
        .send()
        .await
        .with_context(|| format!("could not publish to {topic}"))?;
    let published = now();
    tell(
        stack,
        &json!({
            "name": "shop", "id": format!("{own:016x}"), "trace_id": trace.trace_id(),
            "start_time": seconds(begun), "end_time": seconds(published), "annotations": {"event": "order_status_update"},
            "subsegments": [{"name": "SNS", "id": format!("{call:016x}"), "namespace": "aws",
                "start_time": seconds(begun), "end_time": seconds(published), "annotations": {"deed": "publish to order-notifications"}}],
        }),
    )?;
    Ok((order, trace))
}

fn tell(stack: &Stack, document: &Value) -> Result<()> {
    let datagram = format!("{{\"format\": \"json\", \"version\": 1}}\n{document}");
    let socket = UdpSocket::bind("127.0.0.1:0").context("could not open a socket")?;
    socket
        .send_to(datagram.as_bytes(), &stack.collector)
        .with_context(|| format!("could not reach the collector at {}", stack.collector))?;
    Ok(())
}

/// Waits until all three messages are sent, and the status of the order is known.
async fn follow(stack: &Stack, trace_id: &str) -> Result<Vec<Span>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let spans = spans_of(&stack.traces, trace_id)?;
        let is_told = |deed: &&str| {
            spans
                .iter()
                .any(|span| span.attributes.get("deed").is_some_and(|told| told == deed))
        };
        let missing: Vec<&str> = ENDS.into_iter().filter(|deed| !is_told(deed)).collect();
        let is_known = spans.iter().any(|span| span.name.ends_with("-order-status"));
        if missing.is_empty() && is_known {
            return Ok(spans);
        }
        if Instant::now() > deadline {
            bail!(
                "trace {trace_id} has {} spans after {} s, and none that tells: {}",
                spans.len(),
                PATIENCE.as_secs(),
                missing.join(", ")
            );
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The picture in pixels, where there is a Chromium.
fn photograph(svg: &str, out: &Path) -> Result<Option<Vec<u8>>> {
    let Some(program) = Chromium::find(None)? else {
        return Ok(None);
    };
    let page = std::path::absolute(out.with_extension("html"))?;
    fs::write(
        &page,
        format!("<!doctype html><style>body{{margin:0}} svg{{display:block}}</style>{svg}"),
    )?;
    let mut chromium = Chromium::start(&program, std::path::absolute(out.with_extension("chromium"))?)?;
    chromium.resize(1280, 2)?;
    chromium.open(&page)?;
    let picture = chromium.picture()?;
    fs::remove_file(&page)?;
    Ok(Some(picture))
}

fn seconds(at: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this age are below 2^53")]
    let seconds = at.as_microsecond() as f64 / 1e6;
    seconds
}

#[expect(clippy::disallowed_methods, reason = "the shop's own clock")]
fn now() -> Timestamp {
    Timestamp::now()
}
