//! Goes through the customers' own pages in a headless Chromium, in every language, as their readers do: reads, ticks, sends, makes mistakes.
//! Every state of every page is checked by axe-core and by our own rules, and pictured.

mod server;
mod state;
mod tour;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use domain::Language;
use gallery::Chromium;

use server::Server;
use state::Observer;

/// Goes through the customers' own pages in a browser, and checks that everybody can use them
#[derive(Debug, Parser)]
#[command(
    name = "browser",
    version,
    after_help = "\
Checked in every state of every page, in light and in dark mode: no violation of any rule of axe-core; 320 px wide nothing scrolls \
sideways, no text is smaller than 14 px and every text stands out from what is behind it; with letters twice as large nothing \
scrolls sideways either; whatever is pressed or ticked is 44 px high; no script runs.

Answers with 0 when all is well or there is no browser here, 1 when a check found something, 2 when it could not work."
)]
struct Options {
    /// Where to put the pictures
    #[arg(long, value_name = "FOLDER", default_value = "target/pages")]
    out: PathBuf,
    /// The browser; else chromium, chromium-browser or google-chrome of the PATH
    #[arg(long, value_name = "PATH", env = "CHROMIUM")]
    chromium: Option<PathBuf>,
    /// The checks of axe-core
    #[arg(
        long,
        value_name = "FILE",
        default_value = ".tools/node/node_modules/axe-core/axe.min.js"
    )]
    axe: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pages: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let began = Instant::now();
    let Some(program) = Chromium::find(options.chromium.as_deref())? else {
        eprintln!(
            "pages: skipped, because no Chromium was found; on Debian: sudo apt-get install chromium fonts-liberation"
        );
        return Ok(ExitCode::SUCCESS);
    };
    let Some(axe) = read_if_there(&options.axe)? else {
        eprintln!(
            "pages: skipped, because there is no {}: infra/tools/install.sh axe puts it there",
            options.axe.display()
        );
        return Ok(ExitCode::SUCCESS);
    };
    if options.out.exists() {
        std::fs::remove_dir_all(&options.out).with_context(|| format!("could not remove {}", options.out.display()))?;
    }
    std::fs::create_dir_all(&options.out).with_context(|| format!("could not create {}", options.out.display()))?;
    let results: Vec<Result<Observer>> = std::thread::scope(|scope| {
        let tours = Language::ALL.map(|language| {
            let (program, axe) = (&program, &axe);
            scope.spawn(move || -> Result<Observer> {
                let profile = std::path::absolute(options.out.join(format!(".chromium-{language}")))?;
                let browser = Chromium::start(program, profile)?;
                let mut observer = Observer::new(browser, axe, &options.out, language);
                tour::take(&Server::start()?, &mut observer).with_context(|| format!("in {language}"))?;
                Ok(observer)
            })
        });
        let joined = tours.map(|tour| {
            tour.join()
                .unwrap_or_else(|_panic| Err(anyhow::anyhow!("a tour broke off")))
        });
        joined.into()
    });
    let (mut states, mut pictures, mut findings) = (0, 0, Vec::new());
    for result in results {
        let observer = result?;
        states += observer.states;
        pictures += observer.pictures;
        findings.extend(observer.findings);
    }
    eprintln!(
        "pages: states: {states}, pictures: {pictures}, findings: {}, in {:.1} s: {}",
        findings.len(),
        began.elapsed().as_secs_f64(),
        options.out.display()
    );
    for finding in &findings {
        eprintln!("pages: {finding}");
    }
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}
