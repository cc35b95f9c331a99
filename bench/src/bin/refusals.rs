//! How long it takes to refuse a link, by cause: in an interleaved order, many times, so that what disturbs one cause disturbs all. Compared
//! are medians, and by Welch's t-test what is left without the slowest tenth, in the manner of dudect (Reparaz, Balasch, Verbauwhede:
//! "Dude, is my code constant time?", 2017).
#![expect(clippy::print_stdout, reason = "its result is a table")]

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use axum::body::Body;
use axum::http::Request;
use domain::{Channel, Language, NotificationType, UserId, Zone};
use jiff::Timestamp;
use links::{LinkKeys, Purpose, Token};
use pages::{CustomerPages, Defaults, Settings};
use testkit::{MemoryPreferences, StillClock};
use tower::ServiceExt;

const ROUNDS: usize = 40_000;
/// One call is shorter than what a clock can tell.
const CALLS: u32 = 8;
const PAGE_ROUNDS: usize = 4_000;
const NOW: i64 = 1_795_000_000;

/// A link that is refused, and why.
struct Bad {
    cause: &'static str,
    link: String,
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("refusals: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let keys = LinkKeys::read("k2=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123,k1=0123456789abcdefghijklmnopqrstuv")?;
    let now = Timestamp::from_second(NOW)?;
    let bad = bad_links(&keys)?;

    let mut times = vec![Vec::with_capacity(ROUNDS); bad.len()];
    for round in 0..ROUNDS {
        for (bad, times) in rotated(&bad, &mut times, round) {
            let began = Instant::now();
            for _ in 0..CALLS {
                black_box(keys.verify(black_box(&bad.link), now)).ok();
            }
            times.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    report("LinkKeys::verify", &bad, &mut times);

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
    let pages = CustomerPages::new(settings, MemoryPreferences::default(), StillClock(now))?;
    let router = pages::router(std::sync::Arc::new(pages));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut times = vec![Vec::with_capacity(PAGE_ROUNDS); bad.len()];
    for round in 0..PAGE_ROUNDS {
        for (bad, times) in rotated(&bad, &mut times, round) {
            let request = Request::get(format!("/unsubscribe/{}", bad.link)).body(Body::empty())?;
            let began = Instant::now();
            black_box(runtime.block_on(router.clone().oneshot(request))).ok();
            times.push(began.elapsed().as_secs_f64() * 1e9);
        }
    }
    report("GET /unsubscribe/{token}", &bad, &mut times);
    Ok(())
}

/// One link for every cause, all of one length.
fn bad_links(keys: &LinkKeys) -> Result<Vec<Bad>, Box<dyn Error>> {
    let stop = Purpose::Unsubscribe {
        channel: Channel::Email,
        notification_type: NotificationType::Promotional,
    };
    let sign = |keys: &LinkKeys, purpose, user: &str, expires_at| -> Result<String, Box<dyn Error>> {
        Ok(keys.sign(&Token {
            purpose,
            user: UserId::try_from(user)?,
            expires_at: Timestamp::from_second(expires_at)?,
        }))
    };
    let user = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let good = sign(keys, stop, user, NOW + 1)?;
    // An `A` in the place of a letter of the part that is named, counted from the start or from the end.
    let altered = |place: usize| -> String {
        let swap = |letter: char| if letter == 'A' { 'B' } else { 'A' };
        let letters = good.chars().enumerate();
        letters
            .map(|(index, letter)| if index == place { swap(letter) } else { letter })
            .collect()
    };
    let forged = LinkKeys::read("k2=0000000000000000000000000000000000")?;
    let unknown = LinkKeys::read("k9=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123")?;
    let bad = |cause, link| Bad { cause, link };
    Ok(vec![
        bad("signature wrong in its first byte", altered(good.len() - 43)),
        bad("signature wrong in its last byte", altered(good.len() - 2)),
        bad("another customer's id", altered(30)),
        bad("signed with another secret", sign(&forged, stop, user, NOW + 1)?),
        bad("unknown key", sign(&unknown, stop, user, NOW + 1)?),
        bad("expired", sign(keys, stop, user, NOW)?),
        bad("guessed", "x".repeat(good.len())),
        bad(
            "no link, from its first letter",
            format!("!{}", good.get(1..).unwrap_or_default()),
        ),
        bad(
            "no link, in its last letter",
            format!("{}!", good.get(..good.len() - 1).unwrap_or_default()),
        ),
        // Two letters less purpose, two letters more customer.
        bad(
            "for another page",
            sign(keys, Purpose::Preferences, &format!("{user}ab"), NOW + 1)?,
        ),
    ])
}

/// Every cause with its times, each round beginning with another one.
fn rotated<'a>(
    bad: &'a [Bad],
    times: &'a mut [Vec<f64>],
    round: usize,
) -> impl Iterator<Item = (&'a Bad, &'a mut Vec<f64>)> {
    let mut pairs: Vec<_> = bad.iter().zip(times).collect();
    let count = pairs.len();
    pairs.rotate_left(round % count.max(1));
    pairs.into_iter()
}

fn report(what: &str, bad: &[Bad], times: &mut [Vec<f64>]) {
    println!("{what}, {} characters", bad.first().map_or(0, |bad| bad.link.len()));
    println!(
        "{:<36} {:>10} {:>10} {:>8} {:>8}",
        "", "least ns", "median ns", "median", "t"
    );
    let mut reference: Option<(f64, Sample)> = None;
    for (bad, times) in bad.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let sample = Sample::of(times.get(..times.len() * 9 / 10).unwrap_or_default());
        let (first, other) = reference.get_or_insert((median, sample));
        println!(
            "{:<36} {:>10.0} {:>10.0} {:>+7.1}% {:>8.1}",
            bad.cause,
            times.first().copied().unwrap_or_default(),
            median,
            (median / *first - 1.0) * 100.0,
            sample.t_against(*other)
        );
    }
}

#[derive(Clone, Copy)]
struct Sample {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "there are some thousand")]
    fn of(times: &[f64]) -> Self {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }

    fn t_against(self, other: Self) -> f64 {
        (self.mean - other.mean) / (self.variance / self.count + other.variance / other.count).sqrt()
    }
}
