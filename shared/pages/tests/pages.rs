//! The pages as browsers, mail providers and strangers meet them.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at what it did not expect"
)]

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use domain::ports::{Changed, Kept, PreferencesKeep, Unavailable};
use domain::{
    Channel, ConsentSource, Language, NotificationType, OrderStatus, Preferences, QuietHours, StatusChoice, Topic,
    UserId, Zone,
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use links::{InvalidLink, LinkKeys, Purpose, Token};
use pages::{CustomerPages, Deed, Defaults, Refusal, Settings};
use proptest::prelude::*;
use scraper::{Html, Selector};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::{MemoryPreferences, StillClock, at};
use tower::ServiceExt;

const KEYS: &str = "k1=0123456789abcdefghijklmnopqrstuv";
const NOW: i64 = 1_795_000_000;
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Preferences in memory that a rival changes now and then, just before they are written.
#[derive(Debug, Default)]
struct Keep {
    memory: MemoryPreferences,
    rivals: AtomicU32,
}

impl PreferencesKeep for Keep {
    async fn look_up(&self, user: &UserId) -> Result<Kept, Unavailable> {
        self.memory.look_up(user).await
    }

    async fn change(
        &self,
        user: &UserId,
        from: &Kept,
        to: &Preferences,
        by: &ConsentSource,
        now: Timestamp,
    ) -> Result<Changed, Unavailable> {
        let has_rival = |left: u32| left.checked_sub(1);
        if self
            .rivals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_rival)
            .is_ok()
        {
            let mut others = self.memory.stored(user);
            others.choose(Channel::Email, of(NotificationType::AccountUpdate), Some(false));
            self.memory.put(user, others);
        }
        self.memory.change(user, from, to, by, now).await
    }
}

struct Shop {
    pages: Arc<CustomerPages<Keep, StillClock>>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    deed: Deed,
    headers: HeaderMap,
    html: String,
}

impl Shop {
    fn new() -> Self {
        Self::named("E-Com67")
    }

    fn named(name: &str) -> Self {
        let settings = Settings {
            shop: messages::Shop {
                name: name.to_owned(),
                ..messages::samples::shop()
            },
            keys: LinkKeys::read(KEYS).unwrap(),
            defaults: Defaults {
                language: Language::En,
                night: domain::Night {
                    hours: domain::QuietHours::USUAL,
                    zone: Zone::try_from("Europe/Madrid").unwrap(),
                },
            },
        };
        Self {
            pages: Arc::new(CustomerPages::new(settings, Keep::default(), StillClock(at(NOW))).unwrap()),
        }
    }

    fn memory(&self) -> &MemoryPreferences {
        &self.pages.keep().memory
    }

    fn stored(&self) -> Preferences {
        self.memory().stored(&ana())
    }

    /// Everything that is kept, to the letter.
    fn everything(&self) -> String {
        format!("{:?}", self.memory())
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = pages::router(self.pages.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let html = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            deed: *parts.extensions.get().unwrap(),
            headers: parts.headers,
            html: String::from_utf8(html.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[FORM], body).await
    }
}

impl Answer {
    /// The texts of what a selector finds.
    fn texts(&self, selector: &str) -> Vec<String> {
        let page = Html::parse_document(&self.html);
        page.select(&Selector::parse(selector).unwrap())
            .map(|element| element.text().collect::<String>().trim().to_owned())
            .collect()
    }

    /// An attribute of everything that a selector finds.
    fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let page = Html::parse_document(&self.html);
        page.select(&Selector::parse(selector).unwrap())
            .filter_map(|element| element.attr(name).map(str::to_owned))
            .collect()
    }

    /// The fields that a browser would send if nobody touched anything.
    fn fields(&self) -> Vec<(String, String)> {
        let page = Html::parse_document(&self.html);
        let mut fields = Vec::new();
        for element in page.select(&Selector::parse("main form [name]").unwrap()) {
            let name = element.attr("name").unwrap().to_owned();
            let is_sent =
                !matches!(element.attr("type"), Some("checkbox" | "radio")) || element.attr("checked").is_some();
            match element.value().name() {
                "select" => {
                    let picked = Selector::parse("option[selected]").unwrap();
                    let picked: Vec<_> = element.select(&picked).collect();
                    assert_eq!(picked.len(), 1, "{name}");
                    fields.push((name, picked[0].attr("value").unwrap().to_owned()));
                }
                _ if is_sent => fields.push((name, element.attr("value").unwrap().to_owned())),
                _ => {}
            }
        }
        fields
    }
}

fn ana() -> UserId {
    UserId::try_from("user-ana").unwrap()
}

fn of(notification_type: NotificationType) -> Topic {
    Topic::Type(notification_type)
}

fn link(keys: &str, purpose: Purpose, expires_at: i64) -> String {
    LinkKeys::read(keys).unwrap().sign(&Token {
        purpose,
        user: ana(),
        expires_at: at(expires_at),
    })
}

fn stop(notification_type: NotificationType) -> Purpose {
    Purpose::Unsubscribe {
        channel: Channel::Email,
        notification_type,
    }
}

fn stop_path(notification_type: NotificationType) -> String {
    format!("/unsubscribe/{}", link(KEYS, stop(notification_type), NOW + 1))
}

fn choices_path() -> String {
    format!("/preferences/{}", link(KEYS, Purpose::Preferences, NOW + 1))
}

/// The body of a form.
fn body(fields: &[(String, String)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    body.finish()
}

/// The fields with one put in the place of what it was.
fn with(mut fields: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    fields.retain(|(found, _)| found != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

#[tokio::test]
async fn looking_at_a_link_changes_nothing_however_often_and_by_whatever_method() {
    let shop = Shop::new();
    shop.memory().put(&ana(), Preferences::default());
    let before = shop.everything();
    for path in [
        stop_path(NotificationType::Promotional),
        stop_path(NotificationType::OrderStatusUpdate),
        choices_path(),
    ] {
        for method in ["GET", "HEAD", "GET"] {
            let query = format!("{path}?{ONE_CLICK}&email.promotional=on&undo=on");
            let answer = shop.ask(method, &query, &[FORM], ONE_CLICK).await;
            assert_eq!((answer.status, answer.deed), (StatusCode::OK, Deed::Shown), "{method}");
        }
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .body(Body::from(ONE_CLICK))
                .unwrap();
            let answer = pages::router(shop.pages.clone()).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        }
    }
    assert_eq!(shop.everything(), before);
}

#[tokio::test]
async fn one_click_of_a_mail_provider_stops_that_type_by_that_channel() {
    let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (content_type, sent) in [
        ("application/x-www-form-urlencoded", ONE_CLICK),
        ("multipart/form-data; boundary=b", parts),
    ] {
        let shop = Shop::new();
        let path = stop_path(NotificationType::OrderStatusUpdate);
        let answer = shop.ask("POST", &path, &[("content-type", content_type)], sent).await;
        assert_eq!((answer.status, answer.deed), (StatusCode::OK, Deed::Stopped));
        assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("set-cookie"));
        let mut expected = Preferences::default();
        expected.status_choices.insert(Channel::Email, StatusChoice::All(false));
        assert_eq!(shop.stored(), expected);
        let log = shop.memory().log();
        assert_eq!((log.len(), &log[0].1.by), (1, &ConsentSource::OneClick));
        assert_eq!(log[0].1.changes[0].what, "email.order_status_update");
    }
}

#[tokio::test]
async fn asked_again_it_says_the_same_and_logs_nothing() {
    let shop = Shop::new();
    let path = stop_path(NotificationType::Promotional);
    let first = shop.post(&path, ONE_CLICK).await;
    let once = shop.everything();
    let second = shop.post(&path, ONE_CLICK).await;
    assert_eq!((first.deed, second.deed), (Deed::Stopped, Deed::StoppedBefore));
    assert_eq!((first.status, first.texts("h1")), (second.status, second.texts("h1")));
    assert_eq!(shop.everything(), once);
    assert_eq!(shop.memory().log().len(), 1);
}

#[tokio::test]
async fn what_was_stopped_is_undone_with_every_choice_that_there_was() {
    let shop = Shop::new();
    let mut before = Preferences::default();
    before.choose(Channel::Email, Topic::Status(OrderStatus::Packed), Some(true));
    before.choose(Channel::Email, Topic::Status(OrderStatus::Delayed), Some(false));
    shop.memory().put(&ana(), before.clone());
    let path = stop_path(NotificationType::OrderStatusUpdate);
    let done = shop.post(&path, ONE_CLICK).await;
    let back = shop.post(&path, &body(&done.fields())).await;
    assert_eq!((back.status, back.deed), (StatusCode::OK, Deed::PutBack));
    assert_eq!(shop.stored(), before);
    assert_eq!(shop.memory().log().len(), 2);
    // Undone twice, or after somebody has chosen anew, it changes nothing.
    let again = shop.post(&path, &body(&done.fields())).await;
    assert_eq!((again.deed, shop.memory().log().len()), (Deed::Unchanged, 2));
}

#[tokio::test]
async fn who_stopped_messages_long_ago_sees_it_and_can_have_them_back() {
    let shop = Shop::new();
    let path = stop_path(NotificationType::Promotional);
    shop.post(&path, ONE_CLICK).await;
    let seen = shop.get(&path).await;
    assert_eq!(seen.texts("h1"), ["You have stopped these e-mails"]);
    let back = shop.post(&path, &body(&seen.fields())).await;
    assert_eq!(back.deed, Deed::PutBack);
    assert!(shop.stored().allow(Channel::Email, of(NotificationType::Promotional)));
}

#[tokio::test]
async fn the_page_says_what_it_stops_in_the_customers_language_and_leads_to_all_choices() {
    let shop = Shop::new();
    shop.memory().put(
        &ana(),
        Preferences {
            language: Some(Language::Es),
            ..Preferences::default()
        },
    );
    let page = shop.get(&stop_path(NotificationType::OrderStatusUpdate)).await;
    assert_eq!(page.texts("h1"), ["¿Quieres dejar de recibir estos correos?"]);
    assert_eq!(page.texts(".topic .name"), ["Novedades de tus pedidos"]);
    let address = page.attributes(".further a", "href").remove(0);
    let choices = shop.get(address.strip_prefix("..").unwrap()).await;
    assert_eq!(
        (choices.status, choices.texts("h1")),
        (StatusCode::OK, vec!["Tus notificaciones".to_owned()])
    );
}

#[tokio::test]
async fn what_must_be_sent_cannot_be_stopped_and_the_page_says_so() {
    let shop = Shop::new();
    let before = shop.everything();
    for must in [NotificationType::OrderConfirmation, NotificationType::PaymentFailed] {
        for method in ["GET", "POST"] {
            let answer = shop.ask(method, &stop_path(must), &[FORM], ONE_CLICK).await;
            assert_eq!((answer.status, answer.deed), (StatusCode::FORBIDDEN, Deed::MustSend));
            assert_eq!(answer.texts("h1"), ["These messages are always sent"]);
        }
    }
    assert_eq!(shop.everything(), before);
}

/// Links that must not open `page`, and why not.
fn bad_links(page: &str) -> Vec<(String, Refusal)> {
    let good = match page {
        "unsubscribe" => stop(NotificationType::Promotional),
        _ => Purpose::Preferences,
    };
    let other = match page {
        "unsubscribe" => Purpose::Preferences,
        _ => stop(NotificationType::Promotional),
    };
    let real = link(KEYS, good, NOW + 1);
    let whole = real.len();
    // A letter with no bits to spare, wherever it stands.
    let last = if real.ends_with('Q') { "A" } else { "Q" };
    // Within the customer's id.
    let letter = if real[24..].starts_with('b') { "c" } else { "b" };
    let of_another = format!("{}{letter}{}", &real[..24], &real[25..]);
    let invalid = Refusal::Invalid;
    vec![
        ("guess".to_owned(), invalid(InvalidLink::Malformed)),
        ("%00%ff".to_owned(), invalid(InvalidLink::Malformed)),
        ("A".repeat(5_000), invalid(InvalidLink::Malformed)),
        (real[..whole / 4 * 4 - 4].to_owned(), invalid(InvalidLink::BadSignature)),
        (format!("{real}="), invalid(InvalidLink::Malformed)),
        (
            format!("{}{last}", &real[..whole - 1]),
            invalid(InvalidLink::BadSignature),
        ),
        (of_another, invalid(InvalidLink::BadSignature)),
        (
            link(&KEYS.replace("uv", "vu"), good, NOW + 1),
            invalid(InvalidLink::BadSignature),
        ),
        (
            link(&KEYS.replace("k1", "k9"), good, NOW + 1),
            invalid(InvalidLink::UnknownKey),
        ),
        (link(KEYS, good, NOW), invalid(InvalidLink::Expired)),
        (link(KEYS, other, NOW + 1), Refusal::OtherPurpose),
    ]
}

#[tokio::test]
async fn every_bad_link_gets_the_same_answer_to_the_byte_and_changes_nothing() {
    let shop = Shop::new();
    shop.memory().put(&ana(), Preferences::default());
    let before = shop.everything();
    for page in ["unsubscribe", "preferences"] {
        for method in ["GET", "POST"] {
            let mut first: Option<Answer> = None;
            for (link, why) in bad_links(page) {
                let answer = shop.ask(method, &format!("/{page}/{link}"), &[FORM], ONE_CLICK).await;
                assert_eq!(answer.deed, Deed::Refused(why), "{page} {link}");
                if let Some(first) = &first {
                    assert_eq!(
                        (answer.status, &answer.headers, &answer.html),
                        (first.status, &first.headers, &first.html)
                    );
                } else {
                    assert_eq!(answer.status, StatusCode::NOT_FOUND);
                    assert_eq!(answer.texts("h1"), ["This link does not work"]);
                    first = Some(answer);
                }
            }
        }
    }
    assert_eq!(shop.everything(), before);
}

#[tokio::test]
async fn a_link_of_an_older_key_opens_until_that_key_is_taken_away() {
    let shop = Shop::new();
    let path = format!("/preferences/{}", link(KEYS, Purpose::Preferences, NOW + 1));
    assert_eq!(shop.get(&path).await.status, StatusCode::OK);
    let newer = "k2=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123";
    let path = format!("/preferences/{}", link(newer, Purpose::Preferences, NOW + 1));
    let refused = shop.get(&path).await;
    assert_eq!(refused.deed, Deed::Refused(Refusal::Invalid(InvalidLink::UnknownKey)));
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing_and_the_page_is_there_to_do_it() {
    let shop = Shop::new();
    let before = shop.everything();
    for (path, sent) in [
        (stop_path(NotificationType::Promotional), ONE_CLICK),
        (choices_path(), "revision=0&all.email=none"),
    ] {
        for site in ["cross-site", "same-site", "nonsense"] {
            let answer = shop.ask("POST", &path, &[FORM, ("sec-fetch-site", site)], sent).await;
            assert_eq!(
                (answer.status, answer.deed),
                (StatusCode::FORBIDDEN, Deed::FromElsewhere),
                "{site}"
            );
            assert_eq!(answer.texts(".notice h2"), ["Nothing has been changed"]);
            assert!(!answer.fields().is_empty());
        }
    }
    assert_eq!(shop.everything(), before);
    let path = stop_path(NotificationType::Promotional);
    let own = shop
        .ask("POST", &path, &[FORM, ("sec-fetch-site", "same-origin")], ONE_CLICK)
        .await;
    assert_eq!(own.deed, Deed::Stopped);
}

#[tokio::test]
async fn a_post_that_asks_for_nothing_changes_nothing() {
    let shop = Shop::new();
    let before = shop.everything();
    for path in [stop_path(NotificationType::Promotional), choices_path()] {
        for sent in [
            "",
            "List-Unsubscribe=",
            "a=b",
            "\u{0}",
            "List-Unsubscribe=Two-Clicks&email.promotional=on",
        ] {
            let answer = shop.post(&path, sent).await;
            assert_eq!(
                (answer.status, answer.deed),
                (StatusCode::BAD_REQUEST, Deed::Unreadable),
                "{sent:?}"
            );
        }
    }
    assert_eq!(shop.everything(), before);
}

#[tokio::test]
async fn a_stop_is_made_upon_whatever_a_rival_has_written_meanwhile() {
    let shop = Shop::new();
    shop.pages.keep().rivals.store(4, Ordering::Relaxed);
    let answer = shop.post(&stop_path(NotificationType::Promotional), ONE_CLICK).await;
    assert_eq!(answer.deed, Deed::Stopped);
    let stored = shop.stored();
    assert_eq!(
        stored.choice(Channel::Email, of(NotificationType::AccountUpdate)),
        Some(false)
    );
    assert_eq!(
        stored.choice(Channel::Email, of(NotificationType::Promotional)),
        Some(false)
    );
    assert_eq!(shop.memory().log().len(), 1);
    shop.pages.keep().rivals.store(5, Ordering::Relaxed);
    let beaten = shop
        .post(&stop_path(NotificationType::SystemMaintenance), ONE_CLICK)
        .await;
    assert_eq!(
        (beaten.status, beaten.deed),
        (StatusCode::SERVICE_UNAVAILABLE, Deed::Trouble)
    );
}

#[tokio::test]
async fn what_is_out_of_reach_is_told_and_may_be_asked_again() {
    let shop = Shop::new();
    shop.memory().is_out_of_reach.store(true, Ordering::Relaxed);
    for path in [stop_path(NotificationType::Promotional), choices_path()] {
        for (method, sent) in [("GET", ""), ("POST", ONE_CLICK), ("POST", "revision=0")] {
            let answer = shop.ask(method, &path, &[FORM], sent).await;
            assert!(matches!(answer.deed, Deed::Trouble | Deed::Unreadable) || answer.status.is_server_error());
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {sent}");
            assert_eq!(answer.headers["retry-after"], "120");
        }
    }
}

#[tokio::test]
async fn what_is_chosen_is_stored_with_one_entry_in_the_log() {
    let shop = Shop::new();
    let page = shop.get(&choices_path()).await;
    let fields = with(page.fields(), "email.promotional", "on");
    let fields = with(fields, "email.order_status_update.shipped", "off");
    let fields = with(fields, "all.sms", "none");
    let fields = with(fields, "language", "ro");
    let fields = with(fields, "timezone", "Europe/Bucharest");
    let fields = with(fields, "quiet", "off");
    let saved = shop.post(&choices_path(), &body(&fields)).await;
    assert_eq!((saved.status, saved.deed), (StatusCode::OK, Deed::Saved));
    assert_eq!(saved.texts(".notice h2"), ["S-a salvat"]);
    let stored = shop.stored();
    assert!(stored.allow(Channel::Email, of(NotificationType::Promotional)));
    assert!(!stored.allow(Channel::Email, Topic::Status(OrderStatus::Shipped)));
    assert_eq!(
        stored.status_choices.get(&Channel::Sms),
        Some(&StatusChoice::All(false))
    );
    assert!(
        stored.allow(Channel::Sms, of(NotificationType::PaymentFailed)),
        "it is always sent"
    );
    assert_eq!(stored.language, Some(Language::Ro));
    assert_eq!(stored.zone, Zone::try_from("Europe/Bucharest").ok());
    assert!(stored.quiet_hours.unwrap().are_none());
    let log = shop.memory().log();
    assert_eq!((log.len(), &log[0].1.by), (1, &ConsentSource::Page));
}

#[tokio::test]
async fn a_stale_form_is_told_what_stands_now_and_loses_nothing_that_was_ticked() {
    let shop = Shop::new();
    let fields = with(shop.get(&choices_path()).await.fields(), "email.promotional", "on");
    let mut meanwhile = Preferences::default();
    meanwhile.choose(Channel::Email, of(NotificationType::AccountUpdate), Some(false));
    shop.memory().put(&ana(), meanwhile.clone());
    let stale = shop.post(&choices_path(), &body(&fields)).await;
    assert_eq!((stale.status, stale.deed), (StatusCode::CONFLICT, Deed::Stale));
    assert_eq!(shop.stored(), meanwhile);
    assert_eq!(stale.texts("form em"), ["In force now: no", "In force now: no"]);
    assert!(
        stale
            .fields()
            .contains(&("email.promotional".to_owned(), "on".to_owned()))
    );
    let saved = shop.post(&choices_path(), &body(&stale.fields())).await;
    assert_eq!(saved.deed, Deed::Saved);
    assert!(shop.stored().allow(Channel::Email, of(NotificationType::AccountUpdate)));
    assert!(shop.stored().allow(Channel::Email, of(NotificationType::Promotional)));
    // The same form once more asks for what stands already.
    let twice = shop.post(&choices_path(), &body(&fields)).await;
    assert_eq!((twice.deed, shop.memory().log().len()), (Deed::Unchanged, 1));
}

#[tokio::test]
async fn a_rival_between_look_and_write_makes_a_form_stale() {
    let shop = Shop::new();
    let fields = with(shop.get(&choices_path()).await.fields(), "email.promotional", "on");
    shop.pages.keep().rivals.store(1, Ordering::Relaxed);
    let stale = shop.post(&choices_path(), &body(&fields)).await;
    assert_eq!(stale.deed, Deed::Stale);
    assert_eq!(stale.texts("form em").len(), 2);
    assert!(shop.memory().log().is_empty());
}

#[tokio::test]
async fn a_form_with_a_mistake_is_shown_again_with_all_that_was_ticked_and_nothing_is_written() {
    let shop = Shop::new();
    let page = shop.get(&choices_path()).await;
    let before = shop.everything();
    let fields = with(page.fields(), "quiet-start", "<b>late");
    let fields = with(fields, "email.promotional", "on");
    let wrong = shop.post(&choices_path(), &body(&fields)).await;
    assert_eq!(
        (wrong.status, wrong.deed),
        (StatusCode::UNPROCESSABLE_ENTITY, Deed::Unreadable)
    );
    assert_eq!(wrong.attributes(".notice a", "href"), ["#quiet-start"]);
    assert_eq!(
        wrong.attributes("#quiet-start", "aria-describedby"),
        ["quiet-start-problem"]
    );
    assert_eq!(wrong.attributes("#quiet-start", "value"), ["<b>late"]);
    assert!(
        wrong
            .fields()
            .contains(&("email.promotional".to_owned(), "on".to_owned()))
    );
    assert_eq!(shop.everything(), before);
    let mended = with(wrong.fields(), "quiet-start", "23:00");
    assert_eq!(shop.post(&choices_path(), &body(&mended)).await.deed, Deed::Saved);
    assert_eq!(shop.stored().quiet_hours, QuietHours::between("23:00", "08:00").ok());
}

#[tokio::test]
async fn what_must_be_sent_is_shown_and_is_no_field_and_what_the_customer_switched_off_stays_off() {
    let shop = Shop::new();
    let mut stored = Preferences::default();
    stored.choose(Channel::Email, of(NotificationType::OrderConfirmation), Some(false));
    shop.memory().put(&ana(), stored.clone());
    let page = shop.get(&choices_path()).await;
    assert!(
        page.texts("dd .fixed, .fixed")
            .contains(&"E-mail: no, as you chose in your account".to_owned())
    );
    assert!(page.texts(".fixed").contains(&"Text message: yes".to_owned()));
    let must = ["order_confirmation", "payment_failed"];
    assert!(
        page.fields()
            .iter()
            .all(|(name, _)| !must.iter().any(|must| name.ends_with(must)))
    );
    let fields = with(page.fields(), "email.payment_failed", "off");
    let fields = with(fields, "email.order_confirmation", "on");
    let fields = with(fields, "all.email", "none");
    assert_eq!(shop.post(&choices_path(), &body(&fields)).await.deed, Deed::Saved);
    let now = shop.stored();
    assert_eq!(
        now.choice(Channel::Email, of(NotificationType::OrderConfirmation)),
        Some(false)
    );
    assert_eq!(now.choice(Channel::Email, of(NotificationType::PaymentFailed)), None);
}

#[tokio::test]
async fn a_zone_that_is_not_offered_stays_the_customers() {
    let shop = Shop::new();
    let stored = Preferences {
        zone: Zone::try_from("US/Eastern").ok(),
        ..Preferences::default()
    };
    shop.memory().put(&ana(), stored.clone());
    let page = shop.get(&choices_path()).await;
    assert_eq!(page.attributes("option[selected]", "value")[1], "US/Eastern");
    assert_eq!(
        shop.post(&choices_path(), &body(&page.fields())).await.deed,
        Deed::Unchanged
    );
    assert_eq!(shop.stored(), stored);
}

#[tokio::test]
async fn a_page_shows_switches_and_nothing_of_whose_they_are() {
    let shop = Shop::new();
    let stored = Preferences {
        email: Some("ana@private.example".to_owned()),
        phone: Some("+34600123456".to_owned()),
        ..Preferences::default()
    };
    shop.memory().put(&ana(), stored);
    for page in [
        shop.get(&choices_path()).await,
        shop.get(&stop_path(NotificationType::Promotional)).await,
    ] {
        for private in ["private.example", "600123456", "user-ana"] {
            assert!(!page.html.contains(private), "{private}");
        }
    }
}

#[tokio::test]
async fn every_answer_says_what_it_may_do_and_that_nobody_may_keep_it() {
    let shop = Shop::new();
    let refused = "/preferences/guess".to_owned();
    for path in [choices_path(), stop_path(NotificationType::Promotional), refused] {
        let answer = shop.get(&path).await;
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        let page = Html::parse_document(&answer.html);
        let forbidden = Selector::parse("script, [style], [onclick], [onload], iframe, object, link").unwrap();
        assert_eq!(page.select(&forbidden).count(), 0);
    }
}

#[tokio::test]
async fn a_page_is_in_the_language_that_was_chosen_stored_or_asked_for() {
    let shop = Shop::new();
    let title = async |path: &str, accepted: &str| {
        let answer = shop.ask("GET", path, &[("accept-language", accepted)], "").await;
        answer.attributes("html", "lang").remove(0)
    };
    let path = choices_path();
    assert_eq!(title(&path, "").await, "en");
    assert_eq!(title(&path, "fr, ca;q=0.8, ru;q=0.9").await, "ru");
    assert_eq!(title(&path, "fr, *;q=0.5, ro;q=0").await, "en");
    assert_eq!(title(&path, ";;;q=x,,=,").await, "en");
    assert_eq!(title("/preferences/guess", "ro-MD,ro;q=0.9").await, "ro");
    let stored = Preferences {
        language: Some(Language::Es),
        ..Preferences::default()
    };
    shop.memory().put(&ana(), stored);
    assert_eq!(title(&path, "ru").await, "es");
    assert_eq!(title(&format!("{path}?lang=ro"), "ru").await, "ro");
    assert_eq!(title(&format!("{path}?lang=xx"), "ru").await, "es");
}

#[tokio::test]
async fn the_language_of_the_page_is_not_the_language_of_messages() {
    let shop = Shop::new();
    let page = shop.get(&format!("{}?lang=ru", choices_path())).await;
    assert_eq!(page.attributes("#language option[selected]", "value"), ["en"]);
    assert_eq!(
        shop.post(&choices_path(), &body(&page.fields())).await.deed,
        Deed::Unchanged
    );
}

#[tokio::test]
async fn no_name_of_a_shop_becomes_markup_or_leaves_its_place() {
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{ w.save }}{% if %}",
        "{shop}{shop}",
        "</title></style><h1>x",
        "\u{202e}pohS",
        "Shop\r\nSet-Cookie: a=b",
    ] {
        let shop = Shop::named(name);
        for path in [choices_path(), stop_path(NotificationType::OrderConfirmation)] {
            let page = shop.get(&path).await;
            assert_eq!(page.texts("h1").len(), 1, "{name}");
            let shown = domain::clean_line(&name.replace('\u{202e}', ""));
            assert_eq!(page.texts(".brand"), [shown.as_str()]);
            let parsed = Html::parse_document(&page.html);
            let markup = Selector::parse("script, img, [onerror]").unwrap();
            assert_eq!(parsed.select(&markup).count(), 0, "{name}");
            assert!(!page.html.contains('\u{202e}'));
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// What may be stored, as far as the page shows it, and some of what it does not.
fn any_stored() -> impl Strategy<Value = Preferences> {
    let topics: Vec<Topic> = Topic::all().collect();
    let key = (
        proptest::sample::select(Channel::ALL.to_vec()),
        proptest::sample::select(topics),
    );
    let choices = proptest::collection::vec((key, any::<bool>()), 0..15);
    let time = (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let zones = vec![
        "Europe/Madrid",
        "America/Indiana/Knox",
        "US/Eastern",
        "UTC",
        "Etc/GMT+3",
    ];
    let zone = proptest::option::of(proptest::sample::select(zones));
    (choices, proptest::option::of((time.clone(), time)), zone, any::<bool>()).prop_map(
        |(choices, hours, zone, is_all)| {
            let mut preferences = Preferences::default();
            if is_all {
                preferences.status_choices.insert(Channel::Sms, StatusChoice::All(true));
            }
            for ((channel, topic), choice) in choices {
                preferences.choose(channel, topic, Some(choice));
            }
            preferences.quiet_hours = hours.map(|(start, end)| QuietHours::between(&start, &end).unwrap());
            preferences.zone = zone.map(|name| Zone::try_from(name).unwrap());
            preferences
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_stored_a_page_that_is_sent_as_it_is_writes_nothing(stored in any_stored()) {
        let shop = Shop::new();
        shop.memory().put(&ana(), stored);
        let before = shop.everything();
        let sent = runtime().block_on(async {
            let page = shop.get(&choices_path()).await;
            shop.post(&choices_path(), &body(&page.fields())).await
        });
        prop_assert_eq!(sent.deed, Deed::Unchanged);
        prop_assert_eq!(shop.everything(), before);
    }

    #[test]
    fn whatever_is_sent_either_all_of_it_is_written_or_nothing(
        sent in prop_oneof![
            ".{0,200}",
            proptest::collection::vec(
                (
                    proptest::sample::select(vec!["revision", "email.promotional", "all.sms", "quiet", "quiet-start", "timezone", "language", "undo", "List-Unsubscribe"]),
                    prop_oneof!["on|off|all|none|ro|UTC|22:00|One-Click|default", ".{0,9}", "0{32}"],
                ),
                0..8,
            ).prop_map(|pairs| body(&pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>())),
        ],
        content_type in prop_oneof![Just("application/x-www-form-urlencoded".to_owned()), Just("multipart/form-data; boundary=x".to_owned()), "[ -~]{0,30}"],
    ) {
        let shop = Shop::new();
        let before = shop.everything();
        for path in [choices_path(), stop_path(NotificationType::Promotional)] {
            let answer = runtime().block_on(shop.ask("POST", &path, &[("content-type", &content_type)], &sent));
            let has_changed = shop.everything() != before;
            let may_have = matches!(answer.deed, Deed::Saved | Deed::Stopped | Deed::PutBack | Deed::StoppedBefore) || shop.memory().log().len() == 1;
            prop_assert!(!has_changed || may_have, "{:?}", answer.deed);
            prop_assert!(!answer.status.is_server_error());
        }
    }
}
