//! The pages behind an address of this machine, over preferences in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use domain::{Channel, Language, NotificationType, Preferences, UserId, Zone};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use links::{LinkKeys, Purpose, Token};
use pages::{CustomerPages, Defaults, Settings};
use testkit::{MemoryPreferences, StillClock};
use tokio::net::TcpListener;

type Pages = CustomerPages<MemoryPreferences, StillClock>;

/// Serves the pages until the program ends.
#[derive(Debug)]
pub(crate) struct Server {
    pages: Arc<Pages>,
    keys: LinkKeys,
    address: SocketAddr,
}

impl Server {
    /// Starts it, on a thread of its own.
    pub(crate) fn start() -> Result<Self> {
        let keys = LinkKeys::read("0123456789abcdefghijklmnopqrstuv")?;
        let settings = Settings {
            shop: messages::samples::shop(),
            keys: keys.clone(),
            defaults: Defaults {
                language: Language::Es,
                night: domain::Night {
                    hours: domain::QuietHours::USUAL,
                    zone: Zone::try_from("Europe/Madrid")?,
                },
            },
        };
        let clock = StillClock(Timestamp::from_second(1_795_000_000)?);
        let pages = Arc::new(CustomerPages::new(settings, MemoryPreferences::default(), clock)?);
        let router = pages::router(pages.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .context("could not listen on this machine")?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let service = TowerToHyperService::new(router.clone());
                    let connection =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::spawn(async move {
                        if let Err(error) = connection.await {
                            eprintln!("pages: a connection broke: {error}");
                        }
                    });
                }
            });
        });
        Ok(Self { pages, keys, address })
    }

    /// The link of an e-mail to this customer that stops messages of this type.
    pub(crate) fn stop_link(&self, user: &UserId, notification_type: NotificationType) -> Result<String> {
        let purpose = Purpose::Unsubscribe {
            channel: Channel::Email,
            notification_type,
        };
        Ok(self.link("unsubscribe", purpose, user)?)
    }

    /// The link of an e-mail to this customer's preferences.
    pub(crate) fn choices_link(&self, user: &UserId) -> Result<String> {
        Ok(self.link("preferences", Purpose::Preferences, user)?)
    }

    /// A link that somebody has changed.
    pub(crate) fn broken_link(&self, user: &UserId) -> Result<String> {
        Ok(format!("{}A", self.choices_link(user)?))
    }

    fn link(&self, page: &str, purpose: Purpose, user: &UserId) -> Result<String, jiff::Error> {
        let token = Token {
            purpose,
            user: user.clone(),
            expires_at: Timestamp::from_second(1_800_000_000)?,
        };
        Ok(format!("http://{}/{page}/{}", self.address, self.keys.sign(&token)))
    }

    /// What the customer stored.
    pub(crate) fn stored(&self, user: &UserId) -> Preferences {
        self.pages.keep().stored(user)
    }

    /// Stores something as somebody else does.
    pub(crate) fn store(&self, user: &UserId, preferences: Preferences) {
        self.pages.keep().put(user, preferences);
    }

    /// Puts what keeps the preferences out of reach, or back.
    pub(crate) fn put_out_of_reach(&self, is_out: bool) {
        let flag = &self.pages.keep().is_out_of_reach;
        flag.store(is_out, std::sync::atomic::Ordering::Relaxed);
    }
}
