//! The client of `just bench`: asks any HTTP service in a closed loop, and stands as a TLS endpoint before the store.

mod connection;
mod plan;
mod stand_in;
mod template;
mod worker;

use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

use plan::Plan;
use worker::{Samples, Worker};

/// The client of `just bench`
#[derive(Debug, Parser)]
enum Arguments {
    /// Have every worker of a plan (JSON, on standard input) prepare itself, say `ready`, and after a line of input ask in a closed loop
    Drive,
    /// End TLS on a loopback port, which it prints, and pass on what it carries
    Tls {
        /// Certificates, PEM
        #[arg(long)]
        chain: PathBuf,
        /// Private key, PEM
        #[arg(long)]
        key: PathBuf,
        /// Where to
        #[arg(long)]
        to: SocketAddr,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse() {
        Arguments::Drive => LocalSet::new().run_until(drive()).await,
        Arguments::Tls { chain, key, to } => stand_in::serve(&chain, &key, to).await,
    }
}

/// A line of standard input. Nothing else is under way while it waits.
fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("no input")?;
    Ok(line)
}

/// A line of standard output, at once.
fn say(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// Prints `ready`, and after the run one line of JSON: seconds, and of each operation how many and its latencies in microseconds.
/// An answer that the plan doesn't expect ends it all: what fails is quicker than what works.
async fn drive() -> anyhow::Result<()> {
    let plan: Rc<Plan> = Rc::new(serde_json::from_str(&line()?).context("no plan")?);
    let mut workers = Vec::new();
    for number in 0..plan.workers {
        let mut worker = Worker::new(plan.clone(), number);
        for operation in &plan.prepare {
            worker.act(operation).await?;
        }
        workers.push(worker);
    }
    let (_, workers) = rounds(workers, Duration::from_secs_f64(plan.warm_seconds)).await?;
    say("ready")?;
    line()?;
    let began = Instant::now();
    let (samples, _) = rounds(workers, Duration::from_secs_f64(plan.seconds)).await?;
    let seconds = began.elapsed().as_secs_f64();
    let operations: serde_json::Map<String, Value> =
        samples.iter().map(|(name, times)| (name.clone(), summary(times))).collect();
    let all: Vec<u64> = samples.values().flatten().copied().collect();
    say(&json!({"seconds": seconds, "all": summary(&all), "operations": operations}).to_string())
}

/// Has all of them ask until the time is up, one operation after the other.
async fn rounds(workers: Vec<Worker>, time: Duration) -> anyhow::Result<(Samples, Vec<Worker>)> {
    let end = Instant::now() + time;
    let mut set = JoinSet::new();
    for mut worker in workers {
        set.spawn_local(async move {
            let mut samples = Samples::new();
            while Instant::now() < end {
                let operation = worker.choose();
                let began = Instant::now();
                worker.act(&operation).await?;
                samples.entry(operation).or_default().push(u64::try_from(began.elapsed().as_micros())?);
            }
            anyhow::Ok((samples, worker))
        });
    }
    let (mut all, mut workers) = (Samples::new(), Vec::new());
    while let Some(done) = set.join_next().await {
        let (samples, worker) = done.context("a worker ended")??;
        for (operation, times) in samples {
            all.entry(operation).or_default().extend(times);
        }
        workers.push(worker);
    }
    Ok((all, workers))
}

fn summary(times: &[u64]) -> Value {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |share: f64| sorted.get((share * (sorted.len().saturating_sub(1)) as f64).round() as usize);
    json!({"count": sorted.len(), "p50_us": at(0.5), "p90_us": at(0.9), "p99_us": at(0.99), "most_us": at(1.0)})
}
