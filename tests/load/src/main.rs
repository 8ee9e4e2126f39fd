//! An open-loop load on the development server: what it can hold, then once, twice and four times that, with mixed real
//! traffic over all four contracts, and what became of each request. See docs/reliability.md.

mod client;
mod ledger;
mod mail;
mod people;
mod report;
mod schedule;
mod server;
mod tally;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::Parser;
use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use client::Outcome;
use mail::Codes;
use people::Person;
use report::{Phase, Report};
use schedule::{at_once, closed_loop, open_loop};
use server::{Process, Server, Usage};
use tally::{Sample, percentile};
use traffic::Crowd;

/// The load in multiples of what the server can hold.
const FACTORS: [u32; 3] = [1, 2, 4];
/// What recovering is looked at under, as a part of what the server can hold.
const CALM: f64 = 0.3;
/// How long it is looked at before any load.
const CALM_FOR: Duration = Duration::from_secs(30);
/// How long after one: until the server is itself again and somewhat longer, at most so many seconds.
const RECOVERED_BY: u64 = 60;
const LOOK_ON_FOR: u64 = 5;
const IN_A_ROW: u64 = 3;
/// As calm: nothing refused, and 99 of 100 answered within so many times as long as before any load …
const AS_CALM: f64 = 4.0;
/// … or within so many milliseconds.
const CALM_ENOUGH: f64 = 250.0;
/// How many clients of a closed loop keep the server busy.
const CLIENTS: usize = 24;
/// What it can hold is answered within this, at the 99th percentile, in milliseconds.
const HELD: f64 = 1000.0;

/// Loads the development server by an open loop, and looks at what becomes of each request.
#[derive(Debug, Parser)]
struct Arguments {
    /// The server
    #[arg(long, default_value = "target/debug/polygate")]
    server: PathBuf,
    /// Seconds of each phase
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Seconds of looking for what the server can hold
    #[arg(long, default_value_t = 20)]
    probe: u64,
    /// Accounts that are made beforehand
    #[arg(long, default_value_t = 400)]
    people: u16,
    /// A folder for the server's data and log: a new or empty one, or that of an earlier run, whose data and log go
    #[arg(long, default_value = "target/load")]
    folder: PathBuf,
    /// Write the report to this file
    #[arg(long)]
    report: Option<PathBuf>,
    /// Makes the same traffic again, as far as timing lets it
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    if !cfg!(target_os = "linux") {
        println!("NO LOAD WAS MADE: it needs Linux, for addresses in 127.0.0.0/8 and /proc");
        return ExitCode::SUCCESS;
    }
    match run(Arguments::parse()).await {
        Ok(faults) if faults.is_empty() => {
            println!("all is well");
            ExitCode::SUCCESS
        }
        Ok(faults) => {
            for fault in faults {
                eprintln!("WRONG: {fault}");
            }
            ExitCode::FAILURE
        }
        Err(failed) => {
            eprintln!("failed: {failed:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything; returns what is wrong.
async fn run(arguments: Arguments) -> anyhow::Result<Vec<String>> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let rng = Rng::with_seed(seed);
    println!("seed {seed}");
    server::clear(&arguments.folder)?;
    let (codes, mail) = Codes::serve().await?;
    let server = Server::start(&arguments.server, &arguments.folder, &mail)?;
    let households = people::households(&server.base);
    let made = at_once(4, (0..arguments.people).collect(), |number| Person::make(&households, number)).await;
    let people: Vec<_> = made.into_iter().collect::<anyhow::Result<_>>()?;
    println!("{} people have an account and a session", people.len());
    let before = server.requests_logged()?;
    ensure!(before >= 2 * people.len(), "the log has {before} lines after {} requests", 2 * people.len());
    let crowd = Arc::new(Crowd::new(server.base.clone(), people, codes));

    let usage = Arc::new(Mutex::default());
    let watching = tokio::spawn(watch(server.process(), Arc::clone(&crowd), Arc::clone(&usage)));
    let mut load = Load { crowd: Arc::clone(&crowd), acting: JoinSet::new(), rng, phases: Vec::new(), calm: 0.0 };
    let (probe, length) = (Duration::from_secs(arguments.probe), Duration::from_secs(arguments.seconds));
    let held = load.find_out(probe).await?;
    println!("it can hold {held:.0} requests a second");
    load.phase("calm", CALM * held, CALM_FOR.min(length)).await;
    load.learn_what_calm_is();
    for factor in FACTORS {
        load.phase(&format!("{factor}×"), f64::from(factor) * held, length).await;
        load.recover(&format!("after {factor}×"), CALM * held).await;
    }
    load.settle().await;
    watching.abort();

    let logged = server.requests_logged()? - before;
    let (wrong, looked_at) = ledger::audit(&crowd, &server.admin_token()?).await?;
    println!("{looked_at} things that were acknowledged were looked at");
    let sound = server.stop()?;
    let report = Report::of(&load, held, usage.lock().unwrap_or_else(PoisonError::into_inner).clone());
    report.print();
    if let Some(file) = arguments.report {
        report.write(&file)?;
    }
    let mut faults = report.faults(&crowd.tally, logged);
    faults.extend(wrong);
    faults.extend(sound);
    Ok(faults)
}

/// Looks at the server every second.
async fn watch(process: Process, crowd: Arc<Crowd>, usage: Arc<Mutex<Vec<(Duration, Usage)>>>) {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        let seen = (crowd.tally.now(), process.usage());
        usage.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}

/// What is being done to the server.
struct Load {
    crowd: Arc<Crowd>,
    acting: JoinSet<()>,
    rng: Rng,
    phases: Vec<Phase>,
    /// Milliseconds within which 99 of 100 requests are answered by a server that is itself again.
    calm: f64,
}

impl Load {
    /// How many requests a second the server answers without refusing one, and in time.
    async fn find_out(&mut self, time: Duration) -> anyhow::Result<f64> {
        let from = self.crowd.tally.now();
        closed_loop(&self.crowd, &mut self.rng, CLIENTS, time / 2).await;
        let answered = self.since(from).iter().filter(|one| one.outcome == Outcome::Done).count();
        let most = answered as f64 / (time / 2).as_secs_f64();
        println!("{CLIENTS} clients at a time have {most:.0} requests a second answered");
        for percent in (35..=95).rev().step_by(10) {
            let (rate, from) = (most * f64::from(percent) / 100.0, self.crowd.tally.now());
            open_loop(&self.crowd, &mut self.acting, &mut self.rng, rate, time / 4).await;
            self.settle().await;
            let samples = self.since(from);
            let shed = samples.iter().filter(|one| one.outcome == Outcome::Shed).count();
            let slow = percentile(&samples, 0.99).unwrap_or(f64::INFINITY);
            println!("at {rate:.0} a second: {shed} of {} refused, 99 of 100 in {slow:.0} ms", samples.len());
            if shed == 0 && slow < HELD {
                return Ok(rate);
            }
        }
        bail!(
            "at no rate that was tried were all requests carried out, 99 of 100 within {HELD:.0} ms: the machine is busy with \
             something else, or --probe is too short"
        )
    }

    async fn phase(&mut self, name: &str, rate: f64, time: Duration) {
        let from = self.crowd.tally.now();
        open_loop(&self.crowd, &mut self.acting, &mut self.rng, rate, time).await;
        println!("{name}: {rate:.0} requests a second for {} s", time.as_secs());
        self.phases.push(Phase { name: name.to_owned(), rate, from, until: from + time, recovered: None });
    }

    fn learn_what_calm_is(&mut self) {
        let usual = percentile(&self.since(self.phases.last().map_or(Duration::ZERO, |phase| phase.from)), 0.99);
        self.calm = (AS_CALM * usual.unwrap_or_default()).max(CALM_ENOUGH);
    }

    /// A low rate until the server is itself again: until so many seconds in a row were as calm as before any load.
    async fn recover(&mut self, name: &str, rate: f64) {
        let (from, second) = (self.crowd.tally.now(), Duration::from_secs(1));
        let mut phase = Phase { name: name.to_owned(), rate, from, until: from, recovered: None };
        let mut calm = 0;
        for nth in 0..RECOVERED_BY {
            open_loop(&self.crowd, &mut self.acting, &mut self.rng, rate, second).await;
            phase.until = self.crowd.tally.now();
            let last = self.since(phase.until - second);
            let refused = last.iter().any(|one| !matches!(one.outcome, Outcome::Done | Outcome::Refused));
            // What hangs has no outcome yet.
            let hanging = self.crowd.tally.sent() as f64 - self.crowd.tally.samples().len() as f64;
            let answered = !refused && hanging <= 2.0 + rate * self.calm / 1000.0;
            let is_calm = answered && percentile(&last, 0.99).is_some_and(|slow| slow <= self.calm);
            calm = if is_calm || phase.recovered.is_some() { calm + 1 } else { 0 };
            if calm == IN_A_ROW {
                phase.recovered = Some(nth + 1 - IN_A_ROW);
            }
            if calm == IN_A_ROW + LOOK_ON_FOR {
                break;
            }
        }
        println!(
            "{name}: {}",
            phase.recovered.map_or("not itself again".to_owned(), |after| format!("itself again after {after} s"))
        );
        self.phases.push(phase);
    }

    /// Waits until everything that was sent has an end.
    async fn settle(&mut self) {
        while self.acting.join_next().await.is_some() {}
    }

    fn since(&self, from: Duration) -> Vec<Sample> {
        self.crowd.tally.samples().into_iter().filter(|one| one.meant >= from).collect()
    }
}
