//! What 1, 100 and 10,000 notifications a second need, cost and wait for: the tables of `docs/SCALE.md`.
#![expect(clippy::print_stdout, reason = "its result is tables")]

use anyhow::{Context, Result};
use bench::scale::bill::{For, standing_dollars_per_month};
use bench::scale::limits::alarms;
use bench::scale::queueing::play;
use bench::scale::walls::{normal_emails_per_second, walls};
use bench::scale::{Arrivals, Bill, Figures, Kind, Limits, Needs, Outcome, RATES_PER_SECOND, Scenario, aws};
use clap::Parser;
use std::path::PathBuf;

/// What 1, 100 and 10,000 notifications a second need, cost and wait for, in Markdown.
#[derive(Debug, Parser)]
struct Arguments {
    /// Figures in place of bench/figures.json
    #[arg(long)]
    figures: Option<PathBuf>,
    /// E-mails a second that SES allows, for the walls and the burst
    #[arg(long, default_value_t = aws::SES_PER_SECOND)]
    ses_rate: f64,
    /// Custom metrics, for what stands there
    #[arg(long, default_value_t = 44.0)]
    metrics: f64,
    /// Where chance begins in the simulation
    #[arg(long, default_value_t = 67)]
    seed: u64,
    /// Leave the simulation out
    #[arg(long)]
    on_paper_only: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let figures = match &arguments.figures {
        None => Figures::committed().context("read the committed figures")?,
        Some(path) => {
            let json = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
            Figures::read(&json).with_context(|| format!("understand {}", path.display()))?
        }
    };
    let limits = Limits::of_template()?;
    tell_needs(&figures, &limits);
    tell_bill(&figures, &limits);
    tell_provisioned(&figures, &limits);
    tell_standing(&limits, &arguments);
    tell_walls(&figures, &limits, arguments.ses_rate);
    if !arguments.on_paper_only {
        tell_waits(&figures, &limits, &arguments);
    }
    tell_prices();
    Ok(())
}

fn head(title: &str, columns: &[&str]) {
    println!("\n## {title}\n\n| {} |", columns.join(" | "));
    println!("|{}", " --- |".repeat(columns.len()));
}

fn row(name: &str, cells: impl IntoIterator<Item = String>) {
    println!("| {name} | {} |", cells.into_iter().collect::<Vec<_>>().join(" | "));
}

/// A number as people read it: three figures, or all of its whole ones.
fn number(number: f64) -> String {
    if number < 10.0 {
        return format!("{number:.2}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned();
    }
    let whole = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn dollars(amount: f64) -> String {
    match amount < 10.0 {
        true => format!("${amount:.2}"),
        false => format!("${}", number(amount)),
    }
}

type Need = (&'static str, fn(&Needs) -> f64);

fn tell_needs(figures: &Figures, limits: &Limits) {
    head("Needs", &["", "1/s", "100/s", "10,000/s"]);
    let needs = RATES_PER_SECOND.map(|rate| Needs::of(figures, limits, rate));
    let rows: [Need; 22] = [
        ("events in a batch of the orchestrator", |needs| needs.events_in_a_batch),
        ("e-mails in a batch of the sender", |needs| needs.emails_in_a_batch),
        ("reports in a batch", |needs| needs.receipts_in_a_batch),
        ("orchestrator invocations a second", |needs| needs.orchestrations),
        ("sender invocations a second", |needs| needs.sendings),
        ("report invocations a second", |needs| needs.receptions),
        ("orchestrators at once", |needs| needs.orchestrators_at_once),
        ("senders at once", |needs| needs.senders_at_once),
        ("report functions at once", |needs| needs.receipts_at_once),
        ("SQS requests a second", |needs| needs.queue_requests),
        ("SQS requests a second for reports", |needs| {
            needs.receipt_queue_requests
        }),
        ("SNS publishes a second, SES's among them", |needs| needs.publishes),
        ("ledger items, write units a second", |needs| needs.ledger_writes),
        ("index by customer, write units a second", |needs| {
            needs.user_index_writes
        }),
        ("index by order, write units a second", |needs| needs.order_index_writes),
        ("partitions of the ledger at least", Needs::ledger_partitions),
        ("writes a second to the one window item", |needs| needs.window_writes),
        ("read units a second", |needs| needs.reads),
        ("SES rate, e-mails a second", |needs| needs.ses_rate),
        ("SES quota, e-mails in 24 hours", |needs| needs.ses_per_day),
        ("Lambda invocations a second", Needs::invocations),
        ("Lambda functions at once", Needs::at_once),
    ];
    for (name, of) in rows {
        row(name, needs.iter().map(|needs| number(of(needs))));
    }
    let bills = RATES_PER_SECOND.map(|rate| Bill::of(figures, limits, rate));
    for (name, whom) in [
        ("dollars a month without SES and reports", For::Sending),
        ("dollars a month for reports", For::Receipts),
        ("dollars a month for 90 days of the ledger", For::Keeping),
        ("dollars a month for SES", For::Ses),
    ] {
        row(name, bills.iter().map(|bill| dollars(bill.dollars_per_month(whom))));
    }
}

fn tell_bill(figures: &Figures, limits: &Limits) {
    head(
        "A million e-mails",
        &["", "for an e-mail", "at full batches", "at one a second"],
    );
    let [few, _, full] = RATES_PER_SECOND.map(|rate| Bill::of(figures, limits, rate));
    for (title, whom) in [
        ("sending", For::Sending),
        ("reports", For::Receipts),
        ("90 days of the ledger", For::Keeping),
        ("SES", For::Ses),
    ] {
        let lines = full.lines.iter().zip(&few.lines).filter(|(line, _)| line.whom == whom);
        for (line, few) in lines {
            let each = format!("{:.4}", line.per_email);
            let each = each.trim_end_matches('0').trim_end_matches('.').to_owned();
            row(
                line.price.of,
                [
                    each,
                    dollars(line.dollars_per_million()),
                    dollars(few.dollars_per_million()),
                ],
            );
        }
        let sum = |bill: &Bill| format!("**{}**", dollars(bill.dollars_per_million(whom)));
        row(&format!("**{title}**"), [String::new(), sum(&full), sum(&few)]);
    }
}

fn tell_provisioned(figures: &Figures, limits: &Limits) {
    head(
        "A million e-mails at full batches, tables provisioned",
        &["part that is used", "sending", "reports"],
    );
    let [.., full] = RATES_PER_SECOND.map(|rate| Bill::of(figures, limits, rate));
    for used in [0.7, 0.35] {
        let bill = full.with_provisioned_tables(used);
        let of = |whom| dollars(bill.dollars_per_million(whom));
        row(&format!("{:.0} %", used * 100.0), [of(For::Sending), of(For::Receipts)]);
    }
}

fn tell_standing(limits: &Limits, arguments: &Arguments) {
    head("What stands there", &["", "of it a month", "dollars a month"]);
    let lines = standing_dollars_per_month(limits, arguments.metrics, alarms() as f64);
    for (price, many) in &lines {
        row(price.of, [number(*many), dollars(price.of(*many))]);
    }
    let sum = lines.iter().map(|(price, many)| price.of(*many)).sum();
    row("**in all**", [String::new(), format!("**{}**", dollars(sum))]);
}

fn tell_walls(figures: &Figures, limits: &Limits, ses_rate: f64) {
    head("Walls", &["e-mails a second", "what", "moved by"]);
    for wall in walls(figures, limits, ses_rate) {
        row(
            &number(wall.emails_per_second),
            [wall.what.to_owned(), wall.moved_by.to_owned()],
        );
    }
}

/// A run of the simulation.
struct Run {
    name: String,
    scenario: Scenario,
}

fn tell_waits(figures: &Figures, limits: &Limits, arguments: &Arguments) {
    let columns = [
        "from event to hand-over",
        "SES rate",
        "kind",
        "published",
        "p50",
        "p90",
        "p99",
        "writes to the window item, most in a second",
        "receives of a delivery: mean, most",
        "hidden at once",
        "environments",
    ];
    head("Waits", &columns);
    for run in runs(figures, limits, arguments) {
        let outcome = play(&run.scenario);
        for kind in outcome.published.keys() {
            row(&run.name, cells(&run.scenario, &outcome, *kind));
        }
    }
}

fn runs(figures: &Figures, limits: &Limits, arguments: &Arguments) -> Vec<Run> {
    let run = |name: &str, arrivals: Vec<Arrivals>, limits: &Limits, ses_rate: f64, seconds: f64| Run {
        name: name.to_owned(),
        scenario: Scenario {
            arrivals,
            figures: figures.clone(),
            limits: limits.clone(),
            ses_rate,
            seconds,
            seed: arguments.seed,
        },
    };
    let some = |kind, from_second, per_second, count| Arrivals {
        kind,
        from_second,
        per_second,
        count,
    };
    // One in five is urgent.
    let mixed = |per_second: f64, seconds: u32| {
        let of = |kind, part: f64| {
            some(
                kind,
                0.0,
                per_second * part,
                bench::scale::whole(per_second * part * f64::from(seconds)),
            )
        };
        vec![of(Kind::Normal, 0.8), of(Kind::Urgent, 0.2)]
    };
    let burst = || {
        vec![
            some(Kind::Bulk, 0.0, 5_000.0, 50_000),
            some(Kind::Urgent, 30.0, 1.0, 600),
            some(Kind::Normal, 30.0, 1.0, 600),
        ]
    };
    let raised = limits.with_room_for(figures, 10_000.0);
    vec![
        run(
            "1/s for 30 minutes",
            mixed(1.0, 1_800),
            limits,
            aws::SES_PER_SECOND,
            7_200.0,
        ),
        run("100/s for 10 minutes", mixed(100.0, 600), limits, 150.0, 3_600.0),
        run(
            "10,000/s for 2 minutes, limits of the template",
            mixed(10_000.0, 120),
            limits,
            15_000.0,
            240.0,
        ),
        run(
            "10,000/s for 2 minutes, limits raised",
            mixed(10_000.0, 120),
            &raised,
            15_000.0,
            600.0,
        ),
        run(
            "50,000 at once, and 1/s more of each",
            burst(),
            limits,
            arguments.ses_rate,
            36_000.0,
        ),
        run("the same under another rate", burst(), limits, 200.0, 36_000.0),
    ]
}

fn cells(scenario: &Scenario, outcome: &Outcome, kind: Kind) -> Vec<String> {
    let wait = |part| match outcome.seconds_of(kind, part) {
        Some(seconds) => format!("{} s", number(seconds)),
        None => format!("not within {} s", number(scenario.seconds)),
    };
    let sent = outcome.waits.values().map(Vec::len).sum::<usize>().max(1);
    vec![
        number(scenario.ses_rate),
        format!("{kind:?}").to_lowercase(),
        number(outcome.published.get(&kind).copied().unwrap_or(0) as f64),
        wait(0.5),
        wait(0.9),
        wait(0.99),
        outcome.most_asks_in_a_second.to_string(),
        format!(
            "{}, {}",
            number(outcome.receives as f64 / sent as f64),
            outcome.most_receives
        ),
        number(outcome.most_hidden as f64),
        outcome.environments.to_string(),
    ]
}

fn tell_prices() {
    head("Prices", &["", "dollars", "for a", "source"]);
    for price in aws::PRICES {
        row(
            price.of,
            [
                format!("{}", price.dollars),
                price.unit.to_owned(),
                price.source.to_owned(),
            ],
        );
    }
    println!(
        "\nUnder {} e-mails a second of SES the normal lane gets {}.",
        number(aws::SES_PER_SECOND),
        number(normal_emails_per_second(aws::SES_PER_SECOND))
    );
}
