//! The routes: what is asked for, whether the link opens it, and which page answers.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use axum::routing::get;
use domain::ports::{Clock, PreferencesKeep};
use domain::{Channel, Language, NotificationType, UserId};
use links::{Purpose, Token};
use std::sync::Arc;

use crate::CustomerPages;
use crate::answer::{self, Deed, Refusal};
use crate::choices::Choices;
use crate::desk::{Unchangeable, Verdict, is_stopped};
use crate::form::{self, Fields};
use crate::screens::{self, ChoicesScreen, Notice, Stage, StopScreen};

/// `GET` and `POST` of `/unsubscribe/{token}` and `/preferences/{token}`. Every response carries a [`Deed`].
pub fn router<K, C>(pages: Arc<CustomerPages<K, C>>) -> Router
where
    K: PreferencesKeep + Send + Sync + 'static,
    C: Clock + Send + Sync + 'static,
{
    Router::new()
        .route("/unsubscribe/{token}", get(show_stop).post(change_stop))
        .route("/preferences/{token}", get(show_choices).post(change_choices))
        .with_state(pages)
}

/// What every request says, whatever it is for.
struct Asked {
    /// The link, as it was written.
    link: String,
    /// The language that the page is to be in, if somebody chose one on it.
    chosen: Option<Language>,
    /// The language that the browser asks for.
    preferred: Option<Language>,
}

/// What a good link to stop messages names.
struct Stoppable {
    token: Token,
    channel: Channel,
    notification_type: NotificationType,
}

impl Asked {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let chosen = query
            .filter(|(name, _)| name == "lang")
            .find_map(|(_, code)| Language::ALL.into_iter().find(|known| known.code() == code));
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        Self {
            link: uri.path().rsplit('/').next().unwrap_or_default().to_owned(),
            chosen,
            preferred: accepted.and_then(preferred),
        }
    }
}

/// The language of ours that a browser likes best (RFC 9110, section 12.5.4).
fn preferred(accepted: &str) -> Option<Language> {
    let wish = |wish: &str| {
        let (tag, parameters) = wish.split_once(';').unwrap_or((wish, ""));
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
        let weight: f32 = weight.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
        let language = Language::closest(tag).ok().flatten()?;
        (weight > 0.0).then_some((weight, language))
    };
    let wishes = accepted.split(',').take(20).filter_map(wish);
    // The first of those that it likes best.
    let best = wishes.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map(|(_, language)| language)
}

/// Whether a page of somebody else sent this form, where the browser says so (Fetch Metadata Request Headers, section 2.3). Mail providers'
/// servers say nothing.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    !matches!(site, None | Some(b"same-origin" | b"none"))
}

/// The fields of a form; nothing where it cannot be read.
fn fields_of(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Option<Fields> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    body.ok()
        .map(|body| form::fields(content_type.unwrap_or_default(), &body))
}

async fn show_stop<K, C>(State(pages): State<Arc<CustomerPages<K, C>>>, uri: Uri, headers: HeaderMap) -> Response<Body>
where
    K: PreferencesKeep + Send + Sync,
    C: Clock + Send + Sync,
{
    let asked = Asked::of(&uri, &headers);
    match pages.open_stop(&asked) {
        Ok(link) => pages.stop_page(&asked, &link, StatusCode::OK, Deed::Shown, None).await,
        Err(refused) => *refused,
    }
}

async fn change_stop<K, C>(
    State(pages): State<Arc<CustomerPages<K, C>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body>
where
    K: PreferencesKeep + Send + Sync,
    C: Clock + Send + Sync,
{
    let asked = Asked::of(&uri, &headers);
    let link = match pages.open_stop(&asked) {
        Ok(link) => link,
        Err(refused) => return *refused,
    };
    let (user, channel, notification_type) = (&link.token.user, link.channel, link.notification_type);
    if is_from_elsewhere(&headers) {
        let (status, deed) = (StatusCode::FORBIDDEN, Deed::FromElsewhere);
        return pages.stop_page(&asked, &link, status, deed, Some("other_site")).await;
    }
    let fields = fields_of(&headers, body).unwrap_or_default();
    let is_one_click =
        form::value(&fields, "List-Unsubscribe").is_some_and(|value| value.trim().eq_ignore_ascii_case("One-Click"));
    let done = match (is_one_click, form::value(&fields, "undo")) {
        (true, _) => pages.stop(user, channel, notification_type).await,
        (false, Some(was)) => pages.put_back(user, channel, notification_type, was).await,
        (false, None) => {
            let (status, deed) = (StatusCode::BAD_REQUEST, Deed::Unreadable);
            return pages.stop_page(&asked, &link, status, deed, Some("unread")).await;
        }
    };
    match done {
        Ok(before) => {
            let (stage, deed) = match (is_one_click, before.is_changed) {
                (true, true) => (Stage::Done, Deed::Stopped),
                (true, false) => (Stage::Done, Deed::StoppedBefore),
                (false, true) => (Stage::Again, Deed::PutBack),
                (false, false) => (Stage::Again, Deed::Unchanged),
            };
            tracing::info!(deed = ?deed, "by a link, {channel} of type {notification_type}: {}", word_of(deed));
            let was = before.remembered(channel, notification_type);
            let language = pages.language(&asked, before.preferences.language);
            let screen = StopScreen {
                channel,
                notification_type,
                stage,
                notice: None,
                was: &was,
                choices_link: &pages.choices_link(&link.token, &asked),
            };
            answer::page(&pages.book, StatusCode::OK, deed, screen.write(&pages.book, language))
        }
        Err(error) => pages.trouble(&asked, &error),
    }
}

async fn show_choices<K, C>(
    State(pages): State<Arc<CustomerPages<K, C>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body>
where
    K: PreferencesKeep + Send + Sync,
    C: Clock + Send + Sync,
{
    let asked = Asked::of(&uri, &headers);
    match pages.open_choices(&asked) {
        Ok(user) => {
            pages
                .choices_page(&asked, &user, StatusCode::OK, Deed::Shown, None)
                .await
        }
        Err(refused) => *refused,
    }
}

async fn change_choices<K, C>(
    State(pages): State<Arc<CustomerPages<K, C>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body>
where
    K: PreferencesKeep + Send + Sync,
    C: Clock + Send + Sync,
{
    let asked = Asked::of(&uri, &headers);
    let user = match pages.open_choices(&asked) {
        Ok(user) => user,
        Err(refused) => return *refused,
    };
    if is_from_elsewhere(&headers) {
        let (status, deed) = (StatusCode::FORBIDDEN, Deed::FromElsewhere);
        return pages
            .choices_page(&asked, &user, status, deed, Some("other_site"))
            .await;
    }
    let Some(fields) = fields_of(&headers, body).filter(|fields| form::value(fields, "revision").is_some()) else {
        let (status, deed) = (StatusCode::BAD_REQUEST, Deed::Unreadable);
        return pages.choices_page(&asked, &user, status, deed, Some("unread")).await;
    };
    let answered = match pages.answer(&user, &fields).await {
        Ok(answered) => answered,
        Err(error) => return pages.trouble(&asked, &error),
    };
    let (status, deed) = match answered.verdict {
        Verdict::Saved => (StatusCode::OK, Deed::Saved),
        Verdict::Unchanged => (StatusCode::OK, Deed::Unchanged),
        Verdict::Stale => (StatusCode::CONFLICT, Deed::Stale),
        Verdict::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, Deed::Unreadable),
    };
    tracing::info!(deed = ?deed, "by a link, preferences: {}", word_of(deed));
    let language = pages.language(&asked, answered.kept.preferences.language);
    let words = pages.book.words(language);
    let in_force = Choices::of(&answered.kept.preferences, pages.defaults());
    let sent = &answered.form.choices;
    let (notice, shown, compared) = match answered.verdict {
        Verdict::Saved => (Notice::of(words, "good", "saved"), &in_force, None),
        Verdict::Unchanged => (Notice::of(words, "good", "same"), &in_force, None),
        Verdict::Stale => (Notice::of(words, "look", "stale"), sent, Some(&in_force)),
        Verdict::Wrong => (Notice::of_problems(words, &answered.form.problems), sent, None),
    };
    let shown_revision = answered.form.revision.as_deref().unwrap_or_default();
    let screen = ChoicesScreen {
        notice: Some(notice),
        shown,
        in_force: compared,
        stored: &answered.kept.preferences,
        // A form with problems is still of the state that it was filled in for.
        revision: match answered.verdict {
            Verdict::Wrong => shown_revision,
            Verdict::Saved | Verdict::Unchanged | Verdict::Stale => &answered.kept.revision,
        },
        problems: &answered.form.problems,
    };
    answer::page(&pages.book, status, deed, screen.write(&pages.book, language))
}

impl<K: PreferencesKeep, C: Clock> CustomerPages<K, C> {
    /// What a link opens that stops messages; else the answer to it.
    fn open_stop(&self, asked: &Asked) -> Result<Stoppable, Box<Response<Body>>> {
        let token = self.open(asked)?;
        let Purpose::Unsubscribe {
            channel,
            notification_type,
        } = token.purpose
        else {
            return Err(self.refusal(asked, Refusal::OtherPurpose));
        };
        // No link of ours names one.
        if !notification_type.can_be_chosen() {
            return Err(self.refusal(asked, Refusal::OtherPurpose));
        }
        if notification_type.is_must_send() {
            let language = self.language(asked, None);
            let written = screens::must(&self.book, language, &self.choices_link(&token, asked));
            return Err(Box::new(answer::page(
                &self.book,
                StatusCode::FORBIDDEN,
                Deed::MustSend,
                written,
            )));
        }
        Ok(Stoppable {
            token,
            channel,
            notification_type,
        })
    }

    /// Whose preferences a link opens; else the answer to it.
    fn open_choices(&self, asked: &Asked) -> Result<UserId, Box<Response<Body>>> {
        let token = self.open(asked)?;
        match token.purpose {
            Purpose::Preferences => Ok(token.user),
            Purpose::Unsubscribe { .. } => Err(self.refusal(asked, Refusal::OtherPurpose)),
        }
    }

    fn open(&self, asked: &Asked) -> Result<Token, Box<Response<Body>>> {
        let opened = self.keys.verify(&asked.link, self.clock.now());
        opened.map_err(|invalid| self.refusal(asked, Refusal::Invalid(invalid)))
    }

    /// The one answer to every link that does not open.
    fn refusal(&self, asked: &Asked, refusal: Refusal) -> Box<Response<Body>> {
        let language = self.language(asked, None);
        let written = Ok(self.book.refused(language).to_owned());
        Box::new(answer::page(
            &self.book,
            StatusCode::NOT_FOUND,
            Deed::Refused(refusal),
            written,
        ))
    }

    fn trouble(&self, asked: &Asked, error: &Unchangeable) -> Response<Body> {
        tracing::error!(error = %domain::chain(error), "could not do what a link asks for");
        let written = screens::trouble(&self.book, self.language(asked, None));
        answer::page(&self.book, StatusCode::SERVICE_UNAVAILABLE, Deed::Trouble, written)
    }

    async fn stop_page(
        &self,
        asked: &Asked,
        link: &Stoppable,
        status: StatusCode,
        deed: Deed,
        notice: Option<&str>,
    ) -> Response<Body> {
        let kept = match self.keep.look_up(&link.token.user).await {
            Ok(kept) => kept,
            Err(error) => return self.trouble(asked, &error.into()),
        };
        let language = self.language(asked, kept.preferences.language);
        let words = self.book.words(language);
        let is_stopped = is_stopped(&kept.preferences, link.channel, link.notification_type);
        let screen = StopScreen {
            channel: link.channel,
            notification_type: link.notification_type,
            stage: if is_stopped { Stage::Already } else { Stage::Ask },
            notice: notice.map(|name| Notice::of(words, "bad", name)),
            was: "",
            choices_link: &self.choices_link(&link.token, asked),
        };
        answer::page(&self.book, status, deed, screen.write(&self.book, language))
    }

    async fn choices_page(
        &self,
        asked: &Asked,
        user: &UserId,
        status: StatusCode,
        deed: Deed,
        notice: Option<&str>,
    ) -> Response<Body> {
        let kept = match self.keep.look_up(user).await {
            Ok(kept) => kept,
            Err(error) => return self.trouble(asked, &error.into()),
        };
        let language = self.language(asked, kept.preferences.language);
        let words = self.book.words(language);
        let screen = ChoicesScreen {
            notice: notice.map(|name| Notice::of(words, "bad", name)),
            shown: &Choices::of(&kept.preferences, self.defaults()),
            in_force: None,
            stored: &kept.preferences,
            revision: &kept.revision,
            problems: &[],
        };
        answer::page(&self.book, status, deed, screen.write(&self.book, language))
    }

    /// The language chosen on the page, else the customer's own, else the browser's, else the shop's.
    fn language(&self, asked: &Asked, stored: Option<Language>) -> Language {
        asked
            .chosen
            .or(stored)
            .or(asked.preferred)
            .unwrap_or(self.defaults.language)
    }

    /// Where whoever holds a link to stop messages finds all choices, for as long as that link is good. The e-mail had both.
    fn choices_link(&self, token: &Token, asked: &Asked) -> String {
        let choices = Token {
            purpose: Purpose::Preferences,
            ..token.clone()
        };
        let language = asked.chosen.map(|language| format!("?lang={language}"));
        format!(
            "../preferences/{}{}",
            self.keys.sign(&choices),
            language.unwrap_or_default()
        )
    }
}

/// What was done, for a line of the log.
const fn word_of(deed: Deed) -> &'static str {
    match deed {
        Deed::Stopped => "stopped",
        Deed::StoppedBefore => "stopped before",
        Deed::PutBack => "put back",
        Deed::Saved => "saved",
        Deed::Unchanged => "nothing to change",
        Deed::Stale => "changed meanwhile",
        Deed::Unreadable => "cannot be read",
        Deed::FromElsewhere => "sent by another site",
        Deed::Shown | Deed::Refused(_) | Deed::MustSend | Deed::Trouble => "nothing changed",
    }
}
