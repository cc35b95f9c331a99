//! Carriers on the stack, played by the laboratory: they call, they are asked, they shake hands, and what they sent is read anew.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Carrier, OrderId, OrderStatus, Saying, TrackingNumber};
use fault_proxy::{Fault, Rule, StatusCode};
use jiff::{SignedDuration, Timestamp};
use laboratory::{
    Archive, CALLERS, CarrierKeys, Casting, Kind, Laboratory, Letter, Manner, Milestone, Played, Post, Push, Question,
    Step, Trace, Turn, made_up_number, push,
};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracking::ports::{OrdersKeep, ParcelsKeep};

use super::harness::{Stack, eventually};

/// The stack as the laboratory knows it.
async fn stage() -> laboratory::Stack {
    laboratory::Stack::of_environment().await.unwrap()
}

fn keys() -> CarrierKeys {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    CarrierKeys::read(&root.join("events/carriers/keys.json")).unwrap()
}

async fn play(castings: Vec<Casting>) -> Vec<Played> {
    laboratory::play(&stage().await, &keys(), castings).await.unwrap()
}

/// Every caller in each of these manners.
fn all_callers(manners: &[Manner]) -> Vec<Casting> {
    let casting = |manner: &Manner| CALLERS.map(|carrier| Casting::new(carrier, *manner));
    manners.iter().flat_map(casting).collect()
}

fn is_good(played: &[Played]) {
    let is_good = played.iter().all(|played| played.problems.is_empty());
    assert!(is_good, "\n{}", laboratory::table(played));
}

/// An order with one parcel.
struct Parcel {
    carrier: Carrier,
    order: OrderId,
    number: TrackingNumber,
    email: String,
}

impl Parcel {
    fn made_up(stack: &Stack, carrier: Carrier) -> Self {
        let number = made_up_number(carrier, &mut fastrand::Rng::new());
        let name = stack.unique(carrier.name());
        Self {
            carrier,
            order: OrderId::try_from(name.as_str()).unwrap(),
            number: TrackingNumber::try_from(number).unwrap(),
            email: format!("{name}@example.com"),
        }
    }

    async fn registered(stack: &Stack, carrier: Carrier) -> Self {
        let parcel = Self::made_up(stack, carrier);
        parcel.register(stack).await;
        parcel
    }

    async fn register(&self, stack: &Stack) {
        let began = Timestamp::now() - SignedDuration::from_hours(90);
        stack
            .publish(&json!({"userId": stack.unique("user"), "notificationType": "order_status_update", "recipientEmail": self.email,
                "language": "en", "timestamp": began.to_string(), "orderData": {"orderId": self.order.as_str(), "status": "processing",
                    "trackingNumber": self.number, "carrier": self.carrier.name()}}))
            .await;
        self.until(OrderStatus::Processing).await;
    }

    /// Waits for the first e-mail: newer news would take its place while it waits to be sent.
    async fn is_told_of(&self, stack: &Stack) {
        eventually("the first e-mail", async || stack.emails_to(&self.email).await.pop()).await;
    }

    async fn status(&self) -> Option<OrderStatus> {
        let file = stage().await.tracking().read_order(&self.order).await.unwrap();
        file.record.map(|record| record.status())
    }

    async fn until(&self, status: OrderStatus) {
        let what = format!("order {} to be {status}", self.order);
        eventually(&what, async || (self.status().await == Some(status)).then_some(())).await;
    }

    /// What its carrier said, as it is kept.
    async fn sayings(&self) -> Vec<Saying> {
        stage()
            .await
            .tracking()
            .read_parcel(&self.number)
            .await
            .unwrap()
            .sayings
    }

    fn push(&self, milestone: Milestone, hours_ago: i64) -> Push {
        push(self.carrier, self.number.as_str(), &[step(milestone, hours_ago)]).unwrap()
    }
}

/// A moment as the table keeps it.
fn moment(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

fn step(milestone: Milestone, hours_ago: i64) -> Step {
    let at = Timestamp::now() - SignedDuration::from_hours(hours_ago);
    Step {
        milestone,
        at: Timestamp::from_second(at.as_second()).unwrap(),
    }
}

/// Sends a message as its carrier would.
async fn send(carrier: Carrier, push: &Push) -> u16 {
    let post = Post::to(stage().await.api().unwrap());
    let letter = Letter::signed(carrier, push, keys().of(carrier).unwrap(), Timestamp::now()).unwrap();
    post.send(&letter).await.unwrap().0
}

/// A laboratory that this test's stack asks in place of the carriers.
struct Asked {
    laboratory: Arc<Laboratory>,
    serving: JoinHandle<()>,
}

impl Asked {
    async fn by(stack: &Stack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let laboratory = Arc::new(Laboratory::new(true));
        let served = Arc::clone(&laboratory);
        let serving = tokio::spawn(async move { laboratory::serve(listener, served).await.unwrap() });
        laboratory::connect(&stage().await, Some(&address)).await.unwrap();
        forget_what_was_asked(stack).await;
        begin_anew(stack).await;
        Self { laboratory, serving }
    }

    /// The carrier knows the whole life of this parcel.
    fn tells_all_of(&self, parcel: &Parcel) {
        let steps = Trace::Delivered.steps(Timestamp::now());
        self.laboratory.know(parcel.carrier, parcel.number.clone(), steps);
    }

    /// What this carrier was asked and answered.
    fn of(&self, carrier: Carrier) -> Vec<Question> {
        let asked = self.laboratory.asked().into_iter();
        let answered = asked.filter(|asked| asked.carrier == carrier && asked.status == 200);
        answered.map(|asked| asked.question).collect()
    }

    /// The stack asks nobody any more.
    async fn end(self, stack: &Stack) {
        laboratory::connect(&stage().await, None).await.unwrap();
        begin_anew(stack).await;
        self.serving.abort();
    }
}

/// As if a day had passed since any carrier was asked: Royal Mail lets itself be asked once in half an hour.
async fn forget_what_was_asked(stack: &Stack) {
    for carrier in Carrier::ALL {
        let delete = stack.dynamodb.delete_item().table_name(stack.name("system-state"));
        let name = AttributeValue::S(format!("patrol#{carrier}"));
        delete.key("name", name).send().await.unwrap();
    }
}

/// Lets the poller begin as after a deployment: it remembers accounts for two minutes.
pub(super) async fn begin_anew(stack: &Stack) {
    let update = stack.lambda.update_function_configuration();
    let update = update.function_name(stack.name("carrier-poller")).timeout(60);
    update.send().await.unwrap();
    eventually("the poller to be ready", async || {
        let asked = stack.lambda.get_function_configuration();
        let answer = asked.function_name(stack.name("carrier-poller")).send().await.unwrap();
        (answer.state() == Some(&aws_sdk_lambda::types::State::Active)).then_some(())
    })
    .await;
    // The queue of handshakes calls the alias, whose version has a memory of its own.
    let publish = stack
        .lambda
        .publish_version()
        .function_name(stack.name("carrier-poller"));
    let version = publish.send().await.unwrap().version.unwrap();
    let alias = stack.lambda.update_alias().function_name(stack.name("carrier-poller"));
    alias.name("live").function_version(version).send().await.unwrap();
}

/// What the schedule does once a minute.
async fn ask_carriers(stack: &Stack) {
    stack.invoke("carrier-poller", &json!({"task": "minute"})).await;
}

#[tokio::test]
async fn every_carrier_in_every_manner_ends_in_one_state_and_tells_of_nothing_older() {
    let manners = [
        Manner::OnTime,
        Manner::Late,
        Manner::Twice,
        Manner::Shuffled,
        Manner::WholeHistory,
    ];
    let played = play(all_callers(&manners)).await;
    is_good(&played);
    assert!(
        played
            .iter()
            .all(|played| played.status == Some(OrderStatus::Delivered))
    );
    assert!(
        played
            .iter()
            .all(|played| played.told.last().is_some_and(|told| told == "delivered"))
    );
}

#[tokio::test]
async fn what_is_told_as_it_happens_is_told_to_the_customer_step_by_step() {
    let played = play(vec![Casting::new(Carrier::Dhl, Manner::OnTime)]).await;
    is_good(&played);
    let told: Vec<&str> = played[0].told.iter().map(String::as_str).collect();
    let expected = [
        "processing",
        "shipped",
        "out_for_delivery",
        "exception",
        "out_for_delivery",
        "delivered",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn forged_and_replayed_messages_change_nothing() {
    let played = play(all_callers(&[Manner::BadSignature, Manner::Replayed])).await;
    is_good(&played);
}

#[tokio::test]
async fn a_parcel_that_goes_back_ends_returned_whatever_the_order_of_its_news() {
    let castings = [Manner::OnTime, Manner::Shuffled].into_iter().flat_map(|manner| {
        CALLERS.map(|carrier| Casting {
            trace: Trace::Returned,
            ..Casting::new(carrier, manner)
        })
    });
    let played = play(castings.collect()).await;
    is_good(&played);
    assert!(played.iter().all(|played| played.status == Some(OrderStatus::Returned)));
}

#[tokio::test]
async fn parcels_of_carriers_that_never_call_are_delivered_by_asking() {
    let stack = Stack::connect().await;
    let asked = Asked::by(&stack).await;
    for carrier in [Carrier::RoyalMail, Carrier::CorreosExpress] {
        let parcel = Parcel::made_up(&stack, carrier);
        asked.tells_all_of(&parcel);
        parcel.register(&stack).await;
        delivered_by_asking(&stack, &parcel).await;
        let question = Question::Parcels(vec![parcel.number.to_string()]);
        assert!(asked.of(carrier).contains(&question), "{:?}", asked.of(carrier));
    }
    asked.end(&stack).await;
}

async fn delivered_by_asking(stack: &Stack, parcel: &Parcel) {
    eventually("a parcel to be delivered", async || {
        ask_carriers(stack).await;
        (parcel.status().await == Some(OrderStatus::Delivered)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_correos_parcel_of_which_nothing_was_pushed_is_delivered_by_asking() {
    let stack = Stack::connect().await;
    let asked = Asked::by(&stack).await;
    let parcel = Parcel::made_up(&stack, Carrier::Correos);
    asked.tells_all_of(&parcel);
    parcel.register(&stack).await;
    // Correos calls, mostly: it is asked once it was silent for a day.
    be_silent_for_two_days(&stack, &parcel).await;
    delivered_by_asking(&stack, &parcel).await;
    assert_eq!(asked.of(Carrier::Correos).first(), Some(&Question::Token));
    asked.end(&stack).await;
}

/// As if the parcel had been registered two days ago and its time had come.
async fn be_silent_for_two_days(stack: &Stack, parcel: &Parcel) {
    let then = Timestamp::now() - SignedDuration::from_hours(48);
    let text = |text: String| AttributeValue::S(text);
    eventually("the parcel to be watched", async || {
        let update = stack.dynamodb.update_item().table_name(stack.name("order-status"));
        let update = update
            .key("about", text(format!("parcel#{}", parcel.number)))
            .key("item", text("parcel".to_owned()))
            .update_expression("SET registeredAt = :then, dueAt = :then")
            .condition_expression("attribute_exists(watch)")
            .expression_attribute_values(":then", moment(then));
        update.send().await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_ups_parcel_is_subscribed_to() {
    let stack = Stack::connect().await;
    let asked = Asked::by(&stack).await;
    let parcel = Parcel::registered(&stack, Carrier::Ups).await;
    let number = parcel.number.to_string();
    eventually("a subscription", async || {
        ask_carriers(&stack).await;
        let is_about =
            |question: &Question| matches!(question, Question::Subscribe(numbers) if numbers.contains(&number));
        asked.of(Carrier::Ups).iter().any(is_about).then_some(())
    })
    .await;
    eventually("the subscription to be noted", async || {
        let get = stack.dynamodb.get_item().table_name(stack.name("order-status"));
        let get = get
            .key("about", AttributeValue::S(format!("parcel#{number}")))
            .key("item", AttributeValue::S("parcel".to_owned()));
        let item = get.consistent_read(true).send().await.unwrap().item?;
        item.contains_key("subscribedUntil").then_some(())
    })
    .await;
    asked.end(&stack).await;
}

#[tokio::test]
async fn a_handshake_of_dhl_is_confirmed_to_our_own_account_and_not_to_the_host_it_names() {
    let stack = Stack::connect().await;
    let asked = Asked::by(&stack).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let named = format!("http://{}", elsewhere.local_addr().unwrap());
    let (subscription, secret) = (stack.unique("subscription"), stack.unique("secret"));
    let handshake = laboratory::dhl_handshake(&named, &subscription, &secret);
    assert_eq!(send(Carrier::Dhl, &handshake).await, 200);
    let confirmation = Question::Confirm { subscription, secret };
    eventually("a confirmation", async || {
        asked.of(Carrier::Dhl).contains(&confirmation).then_some(())
    })
    .await;
    // Whoever had called it would wait there.
    let caller = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(caller.is_err(), "somebody called the host that the message names");
    asked.end(&stack).await;
}

/// Everything that is archived of this carrier.
async fn archived(carrier: Carrier) -> Archive {
    let bucket = archive_bucket();
    Archive::of_bucket(&stage().await, &bucket, Some(carrier), None)
        .await
        .unwrap()
}

fn archive_bucket() -> String {
    std::env::var("E_COM67_CARRIER_ARCHIVE").expect("E_COM67_CARRIER_ARCHIVE: run `make test`")
}

#[tokio::test]
async fn the_archive_holds_each_body_and_reading_it_anew_differs_in_nothing() {
    let stack = stage().await;
    let mut before = Vec::new();
    for carrier in CALLERS {
        before.push(archived(carrier).await.len());
    }
    let played = play(all_callers(&[Manner::OnTime])).await;
    is_good(&played);
    for ((carrier, before), played) in CALLERS.into_iter().zip(before).zip(&played) {
        let archive = archived(carrier).await;
        assert_eq!(archive.len(), before + played.took.len(), "{carrier}");
        let replayed = laboratory::compare(&stack, &archive).await.unwrap();
        let number = TrackingNumber::try_from(played.number.as_str()).unwrap();
        let of_it = |difference: &&laboratory::Difference| difference.event.number == number;
        assert_eq!(replayed.differences.iter().find(of_it), None, "{carrier}");
    }
}

#[tokio::test]
async fn a_code_that_nobody_knows_is_kept_and_changes_nothing() {
    let stack = Stack::connect().await;
    let parcel = Parcel::registered(&stack, Carrier::Fedex).await;
    let Push { method, query, body } = parcel.push(Milestone::OutForDelivery, 2);
    let unknown = Push {
        method,
        query,
        body: body.replace(r#""OD""#, r#""ZQ""#),
    };
    assert_eq!(send(Carrier::Fedex, &unknown).await, 200);
    let sayings = eventually("the event to be kept", async || {
        Some(parcel.sayings().await).filter(|sayings| !sayings.is_empty())
    })
    .await;
    assert_eq!(sayings.len(), 1);
    assert_eq!(sayings[0].status, None);
    assert_eq!(parcel.status().await, Some(OrderStatus::Processing));
}

#[tokio::test]
async fn what_could_not_be_read_when_it_came_is_reported_by_a_replay_and_put_right_by_applying_it() {
    let stack = Stack::connect().await;
    let stage = stage().await;
    let parcel = Parcel::registered(&stack, Carrier::Fedex).await;
    // A table that did not know the code yet has left it unread.
    let came_at = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap();
    let body = parcel.push(Milestone::Delivered, 2).body;
    let mut event = read(Carrier::Fedex, body.as_bytes(), came_at);
    event.status = None;
    keep_unread(&stack, &parcel, &Saying::of_carrier(event, came_at)).await;
    put_into_the_archive(Carrier::Fedex, body.as_bytes(), came_at).await;

    let replayed = laboratory::compare(&stage, &archived(Carrier::Fedex).await)
        .await
        .unwrap();
    let differences: Vec<_> = replayed
        .differences
        .iter()
        .filter(|difference| difference.event.number == parcel.number)
        .collect();
    assert_eq!(differences.len(), 1, "{replayed}");
    assert_eq!(differences[0].kind, Kind::WasUnread);
    let turn = Turn {
        order: parcel.order.clone(),
        before: Some(OrderStatus::Processing),
        after: Some(OrderStatus::Delivered),
    };
    assert!(replayed.turns.contains(&turn), "{replayed}");
    assert_eq!(parcel.status().await, Some(OrderStatus::Processing));

    laboratory::apply(&stage, &replayed).await.unwrap();
    parcel.until(OrderStatus::Delivered).await;
    let replayed = laboratory::compare(&stage, &archived(Carrier::Fedex).await)
        .await
        .unwrap();
    let is_of_it = |difference: &laboratory::Difference| difference.event.number == parcel.number;
    assert!(!replayed.differences.iter().any(is_of_it), "{replayed}");
}

/// The one event of an archived body.
fn read(carrier: Carrier, body: &[u8], came_at: Timestamp) -> domain::TrackingEvent {
    let webhook = carriers::webhook(carrier).unwrap();
    let told = webhook.read_archived(body, came_at).unwrap().sightings.remove(0).told;
    match told {
        carriers::Told::Events(mut events) => events.remove(0),
        carriers::Told::NotFound => panic!("no event"),
    }
}

async fn keep_unread(stack: &Stack, parcel: &Parcel, saying: &Saying) {
    let text = |text: String| AttributeValue::S(text);
    let put = stack.dynamodb.put_item().table_name(stack.name("order-status"));
    put.item("about", text(format!("parcel#{}", parcel.number)))
        .item("item", text(format!("said#{}", saying.id().as_str())))
        .item("saying", text(serde_json::to_string(saying).unwrap()))
        .item("unread", AttributeValue::Bool(true))
        .send()
        .await
        .unwrap();
}

async fn put_into_the_archive(carrier: Carrier, body: &[u8], came_at: Timestamp) {
    let connection = aws::Connection::from_environment();
    let archive = aws::S3Archive::new(connection.s3(), archive_bucket());
    archive.keep(carrier, body, came_at).await.unwrap();
}

#[tokio::test]
async fn poison_among_carriers_news_is_buried_with_its_reason_and_its_neighbours_are_heard() {
    let stack = Stack::connect().await;
    let parcel = Parcel::registered(&stack, Carrier::Dpd).await;
    let mark = stack.unique("poison");
    let good = carriers_news(&parcel, step(Milestone::OutForDelivery, 2));
    let poison = json!({"version": "1", "heardAt": mark, "events": []}).to_string();
    stack.put_on_queue("carrier-events", &[poison, good]).await;
    let (_, reason) = eventually("a dead letter", async || {
        stack.dead_letters("carrier-events", &mark).await.pop()
    })
    .await;
    assert!(reason.contains("expected news of a carrier in version 1"), "{reason}");
    parcel.until(OrderStatus::OutForDelivery).await;
}

/// What the webhook puts on the queue.
fn carriers_news(parcel: &Parcel, step: Step) -> String {
    let mut event = domain::TrackingEvent::new(parcel.carrier, parcel.number.clone(), step.at);
    event.status = Some(step.milestone.status());
    event.code = Some("delivery_carload".to_owned());
    tracking::CarrierNews::messages(&[event], Timestamp::now()).remove(0)
}

#[tokio::test]
async fn news_whose_publishing_fails_reach_the_customer_once() {
    let stack = Stack::connect().await;
    let parcel = Parcel::registered(&stack, Carrier::Easypost).await;
    parcel.is_told_of(&stack).await;
    let refusal = Fault::answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "try again");
    // The SDK tries three times: the second batch of the stream gets through.
    let rule = Rule::on("Publish", refusal)
        .called_by("order-outbox")
        .containing(parcel.order.as_str())
        .times(3);
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    assert_eq!(
        send(parcel.carrier, &parcel.push(Milestone::OutForDelivery, 2)).await,
        200
    );
    stack.applied(rule).await;
    one_email_that_it_is_out_for_delivery(&stack, &parcel).await;
}

#[tokio::test]
async fn news_that_the_stream_never_brought_are_published_by_the_sweep() {
    let stack = Stack::connect().await;
    let parcel = Parcel::registered(&stack, Carrier::Shippo).await;
    parcel.is_told_of(&stack).await;
    let key = wait_in_the_outbox(&stack, &parcel).await;
    stack.invoke("order-outbox", &json!({"task": "sweep"})).await;
    let get = stack.dynamodb.get_item().table_name(stack.name("order-status"));
    let get = get
        .key("about", AttributeValue::S(format!("order#{}", parcel.order)))
        .key("item", AttributeValue::S(key));
    let left = get.consistent_read(true).send().await.unwrap().item;
    assert_eq!(left, None);
    one_email_that_it_is_out_for_delivery(&stack, &parcel).await;
}

/// Writes news as of three minutes ago, in two steps: the stream tells of what is new, not of what changes.
async fn wait_in_the_outbox(stack: &Stack, parcel: &Parcel) -> String {
    let text = |text: String| AttributeValue::S(text);
    let (about, item) = (format!("order#{}", parcel.order), "outbox#by-hand".to_owned());
    let put = stack.dynamodb.put_item().table_name(stack.name("order-status"));
    put.item("about", text(about.clone()))
        .item("item", text(item.clone()))
        .send()
        .await
        .unwrap();
    let event = json!({"notificationType": "order_status_update", "userId": stack.unique("user"), "recipientEmail": parcel.email,
        "language": "en", "timestamp": (Timestamp::now() - SignedDuration::from_mins(4)).to_string(),
        "orderData": {"orderId": parcel.order.as_str(), "status": "out_for_delivery", "trackingNumber": parcel.number}});
    let written_at = Timestamp::now() - SignedDuration::from_mins(3);
    let update = stack.dynamodb.update_item().table_name(stack.name("order-status"));
    update
        .key("about", text(about))
        .key("item", text(item.clone()))
        .update_expression("SET orderId = :order, #event = :event, waiting = :news, writtenAt = :at")
        .expression_attribute_names("#event", "event")
        .expression_attribute_values(":order", text(parcel.order.to_string()))
        .expression_attribute_values(":event", text(event.to_string()))
        .expression_attribute_values(":news", text("news".to_owned()))
        .expression_attribute_values(":at", moment(written_at))
        .send()
        .await
        .unwrap();
    item
}

async fn one_email_that_it_is_out_for_delivery(stack: &Stack, parcel: &Parcel) {
    let item = eventually("news to be sent", async || {
        let items = stack.items_about(parcel.order.as_str()).await;
        let is_it = |item: &super::harness::Item| super::harness::text(item, "status") == "out_for_delivery";
        let item = items.into_iter().find(is_it)?;
        (super::harness::outcomes(&item)["email"] == "sent").then_some(item)
    })
    .await;
    assert!(!item.is_empty());
    stack.drained().await;
    let subjects: Vec<String> = stack
        .emails_to(&parcel.email)
        .await
        .into_iter()
        .map(|email| email.subject)
        .collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
}
