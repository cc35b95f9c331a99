//! The way of a customer through the pages.

use anyhow::Result;
use domain::{Channel, NotificationType, OrderStatus, Preferences, QuietHours, StatusChoice, Topic, UserId};

use crate::server::Server;
use crate::state::Observer;

/// Presses the button that sends the form.
const SEND: &str = "document.querySelector('form button').click()";

/// Whether the browser has put the reader in front of what is said first.
const LEADS_TO_NOTICE: &str = "document.activeElement.classList.contains('notice')";

/// Goes through every state of every page once.
pub(crate) fn take(server: &Server, observer: &mut Observer) -> Result<()> {
    let user = UserId::try_from(format!("user-{}", observer.language))?;
    let language = Preferences {
        language: Some(observer.language),
        ..Preferences::default()
    };
    server.store(&user, language);
    stopping(server, observer, &user)?;
    choosing(server, observer, &user)?;
    mistakes(server, observer, &user)?;
    rivals(server, observer, &user)?;
    dead_ends(server, observer, &user)
}

fn stopping(server: &Server, observer: &mut Observer, user: &UserId) -> Result<()> {
    let shipped = Topic::Status(OrderStatus::Shipped);
    let link = server.stop_link(user, NotificationType::OrderStatusUpdate)?;
    let before = server.stored(user);
    observer.browser.visit(&link)?;
    observer.look("stop-1-ask")?;
    observer.expect("stop-1-ask", "nothing to have changed", server.stored(user) == before);
    observer.browser.follow(SEND)?;
    observer.look("stop-2-done")?;
    let is_off = !server.stored(user).allow(Channel::Email, shipped);
    observer.expect("stop-2-done", "news of orders to be off", is_off);
    observer.browser.follow(SEND)?;
    observer.look("stop-3-again")?;
    observer.expect(
        "stop-3-again",
        "everything to be as before",
        server.stored(user) == before,
    );
    let mut stopped = before.clone();
    stopped.stop(Channel::Email, NotificationType::OrderStatusUpdate);
    server.store(user, stopped);
    observer.browser.visit(&link)?;
    observer.look("stop-4-already")?;
    server.store(user, before);
    observer.browser.visit(&link)?;
    observer
        .browser
        .follow("document.querySelector('.further a').click()")?;
    let is_there = observer.is("location.pathname.startsWith('/preferences/') && !!document.forms[0].revision")?;
    observer.expect("stop-1-ask", "the link to lead to all choices", is_there);
    Ok(())
}

fn choosing(server: &Server, observer: &mut Observer, user: &UserId) -> Result<()> {
    let before = server.stored(user);
    observer.browser.visit(&server.choices_link(user)?)?;
    observer.look("choices-1")?;
    observer.browser.follow(SEND)?;
    observer.look("choices-2-same")?;
    observer.expect(
        "choices-2-same",
        "nothing to have changed",
        server.stored(user) == before,
    );
    observer.browser.evaluate(
        "document.querySelector('input[type=checkbox][name=\"email.promotional\"]').click();
         document.querySelector('input[name=\"all.sms\"][value=none]').click();
         document.querySelector('#timezone').value = 'Europe/Bucharest';
         document.querySelector('#quiet-start').value = '21:30';",
    )?;
    observer.browser.follow(SEND)?;
    observer.look("choices-3-saved")?;
    let leads = observer.is(LEADS_TO_NOTICE)?;
    observer.expect("choices-3-saved", "the reader to be led to what was done", leads);
    let stored = server.stored(user);
    let promotional = Topic::Type(NotificationType::Promotional);
    let is_as_chosen = stored.allow(Channel::Email, promotional)
        && stored.status_choices.get(&Channel::Sms) == Some(&StatusChoice::All(false))
        && stored.zone.map(String::from).as_deref() == Some("Europe/Bucharest")
        && stored.quiet_hours == QuietHours::between("21:30", "08:00").ok();
    observer.expect("choices-3-saved", "what was ticked to be stored", is_as_chosen);
    Ok(())
}

fn mistakes(server: &Server, observer: &mut Observer, user: &UserId) -> Result<()> {
    let before = server.stored(user);
    observer.browser.visit(&server.choices_link(user)?)?;
    observer.browser.evaluate(
        "document.querySelector('input[type=checkbox][name=\"email.account_update\"]').click();
         document.querySelector('input[type=checkbox][name=\"sms.promotional\"]').value = 'perhaps';
         document.querySelector('input[type=checkbox][name=\"sms.promotional\"]').checked = true;
         document.querySelector('#quiet-start').value = '';
         document.querySelector('#timezone option:checked').value = 'Mars/Olympus';",
    )?;
    observer.browser.follow(SEND)?;
    observer.look("choices-4-problems")?;
    let name = "choices-4-problems";
    observer.expect(name, "nothing to be stored", server.stored(user) == before);
    let leads = observer.is(LEADS_TO_NOTICE)?;
    observer.expect(name, "the reader to be led to the problems", leads);
    let all_lead = observer.is(
        "[...document.querySelectorAll('.notice a')].every((link) => document.querySelector(link.hash))
         && document.querySelectorAll('.notice a').length === 3",
    )?;
    observer.expect(name, "three problems, each with its field", all_lead);
    let is_kept =
        observer.is("!document.querySelector('input[type=checkbox][name=\"email.account_update\"]').checked")?;
    observer.expect(name, "the rest of what was ticked to be still there", is_kept);
    Ok(())
}

fn rivals(server: &Server, observer: &mut Observer, user: &UserId) -> Result<()> {
    observer.browser.visit(&server.choices_link(user)?)?;
    observer
        .browser
        .evaluate("document.querySelector('input[type=checkbox][name=\"email.account_update\"]').click()")?;
    let mut meanwhile = server.stored(user);
    let delivered = Topic::Status(OrderStatus::Delivered);
    meanwhile.choose(Channel::Email, delivered, Some(false));
    meanwhile.choose(
        Channel::Email,
        Topic::Type(NotificationType::OrderConfirmation),
        Some(false),
    );
    meanwhile.quiet_hours = QuietHours::between("00:00", "00:00").ok();
    server.store(user, meanwhile.clone());
    observer.browser.follow(SEND)?;
    observer.look("choices-5-stale")?;
    let name = "choices-5-stale";
    observer.expect(name, "nothing to be stored", server.stored(user) == meanwhile);
    let tells = observer.is("document.querySelectorAll('form em').length === 3")?;
    observer.expect(name, "three places to say what is in force", tells);
    observer.browser.follow(SEND)?;
    let stored = server.stored(user);
    let account = Topic::Type(NotificationType::AccountUpdate);
    let is_saved = stored.allow(Channel::Email, delivered) && !stored.allow(Channel::Email, account);
    observer.expect(name, "the second time to save what is seen", is_saved);
    let must = stored.allow(Channel::Email, Topic::Type(NotificationType::OrderConfirmation));
    observer.expect(name, "what was switched off in the account to stay off", !must);
    Ok(())
}

fn dead_ends(server: &Server, observer: &mut Observer, user: &UserId) -> Result<()> {
    let language = observer.language;
    let must = server.stop_link(user, NotificationType::OrderConfirmation)?;
    observer.browser.visit(&format!("{must}?lang={language}"))?;
    observer.look("always-sent")?;
    let broken = server.broken_link(user)?;
    observer.browser.visit(&format!("{broken}?lang={language}"))?;
    observer.look("refused")?;
    server.put_out_of_reach(true);
    let link = server.choices_link(user)?;
    observer.browser.visit(&format!("{link}?lang={language}"))?;
    observer.look("trouble")?;
    server.put_out_of_reach(false);
    Ok(())
}
