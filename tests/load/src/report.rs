//! What was seen: numbers for people, data for a chart, and what must not be.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::Load;
use crate::client::Outcome;
use crate::server::Usage;
use crate::tally::{Sample, Tally, count, percentile};

/// How much more memory four times the load may take than once.
const MOST_GROWTH: f64 = 1.5;

/// A stretch of time at one rate.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) rate: f64,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    /// Seconds after which the server was itself again, where that was looked at.
    pub(crate) recovered: Option<u64>,
}

/// Everything that was seen.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The machine.
    machine: Machine,
    /// Requests a second that the server can hold.
    held: f64,
    /// Outcomes by what was asked, over all phases.
    kinds: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    phases: Vec<Seen>,
    /// By second.
    seconds: Vec<Second>,
}

#[derive(Serialize)]
struct Machine {
    processors: usize,
    model: String,
    /// Processes that wanted a processor on average, over the last minute before the end.
    busy: String,
}

/// What came of a phase.
#[derive(Serialize)]
struct Seen {
    name: String,
    from: f64,
    until: f64,
    /// Requests a second that were to be sent at the beginning of something; codes that are proved come on top.
    rate: f64,
    sent: usize,
    outcomes: BTreeMap<&'static str, usize>,
    /// Milliseconds, of what was carried out.
    p50: Option<f64>,
    p99: Option<f64>,
    /// Milliseconds until a refusal by 503, 99 of 100.
    shed_p99: Option<f64>,
    /// MiB, at the median of its last third.
    memory: f64,
    /// Seconds until the server was itself again, of the phases after a load.
    recovered: Option<u64>,
}

#[derive(Serialize)]
struct Second {
    at: f64,
    sent: usize,
    outcomes: BTreeMap<&'static str, usize>,
    p50: Option<f64>,
    p99: Option<f64>,
    /// MiB.
    memory: Option<f64>,
    /// Processors that were busy for the server.
    processors: Option<f64>,
    files: Option<usize>,
}

fn named(samples: &[Sample]) -> BTreeMap<&'static str, usize> {
    count(samples).into_iter().map(|(outcome, number)| (outcome.name(), number)).collect()
}

fn rounded(millis: f64) -> f64 {
    (millis * 10.0).round() / 10.0
}

/// Samples by the second in which they were meant to be sent, from a second on.
fn by_second(samples: &[Sample], from: Duration, until: Duration) -> Vec<Vec<Sample>> {
    let mut seconds = vec![Vec::new(); (until - from).as_secs_f64().ceil() as usize];
    for sample in samples {
        let nth = sample.meant.checked_sub(from).map(|since| since.as_secs() as usize);
        if let Some(second) = nth.and_then(|nth| seconds.get_mut(nth)) {
            second.push(*sample);
        }
    }
    seconds
}

impl Report {
    pub(crate) fn of(load: &Load, held: f64, usage: Vec<(Duration, Usage)>) -> Self {
        let samples = load.crowd.tally.samples();
        let within = |phase: &Phase| {
            let inside = samples.iter().filter(|one| one.meant >= phase.from && one.meant < phase.until);
            inside.copied().collect::<Vec<_>>()
        };
        let phases = load.phases.iter().map(|phase| {
            let inside = within(phase);
            let last = phase.until - (phase.until - phase.from) / 3;
            let mut memory: Vec<_> = usage.iter().filter(|(at, _)| *at >= last && *at < phase.until).collect();
            memory.sort_by(|(_, one), (_, other)| one.memory.total_cmp(&other.memory));
            let shed: Vec<_> = inside.iter().filter(|one| one.outcome == Outcome::Shed).copied().collect();
            let shed: Vec<_> = shed.into_iter().map(|one| Sample { outcome: Outcome::Done, ..one }).collect();
            Seen {
                name: phase.name.clone(),
                from: rounded(phase.from.as_secs_f64()),
                until: rounded(phase.until.as_secs_f64()),
                rate: rounded(phase.rate),
                sent: inside.len(),
                outcomes: named(&inside),
                p50: percentile(&inside, 0.5).map(rounded),
                p99: percentile(&inside, 0.99).map(rounded),
                shed_p99: percentile(&shed, 0.99).map(rounded),
                memory: memory.get(memory.len() / 2).map(|(_, usage)| rounded(usage.memory)).unwrap_or_default(),
                recovered: phase.recovered,
            }
        });
        let phases = phases.collect();
        let (from, until) = load
            .phases
            .first()
            .zip(load.phases.last())
            .map_or_else(Default::default, |(first, last)| (first.from, last.until));
        let seconds = by_second(&samples, from, until).into_iter().enumerate().map(|(nth, inside)| {
            let at = from + Duration::from_secs(nth as u64);
            let next = usage.iter().position(|(seen, _)| *seen >= at && *seen < at + Duration::from_secs(1));
            let (before, seen) = (next.and_then(|next| usage.get(next.checked_sub(1)?)), next.map(|next| usage[next]));
            let busy = before.zip(seen).map(|((before_at, before), (seen_at, seen))| {
                (seen.processor - before.processor) / (seen_at - *before_at).as_secs_f64()
            });
            Second {
                at: rounded((at - from).as_secs_f64()),
                sent: inside.len(),
                outcomes: named(&inside),
                p50: percentile(&inside, 0.5).map(rounded),
                p99: percentile(&inside, 0.99).map(rounded),
                memory: seen.map(|(_, usage)| rounded(usage.memory)),
                processors: busy.map(|busy| rounded(busy * 10.0) / 10.0),
                files: seen.map(|(_, usage)| usage.files),
            }
        });
        let seconds = seconds.collect();
        let mut kinds = BTreeMap::<_, BTreeMap<_, usize>>::new();
        for sample in &samples {
            *kinds.entry(sample.kind).or_default().entry(sample.outcome.name()).or_default() += 1;
        }
        Self { machine: Machine::this(), held: rounded(held), kinds, phases, seconds }
    }

    pub(crate) fn print(&self) {
        let told = |outcomes: &BTreeMap<&str, usize>| {
            let each: Vec<_> = outcomes.iter().map(|(name, number)| format!("{number} {name}")).collect();
            each.join(", ")
        };
        for (kind, outcomes) in &self.kinds {
            println!("{kind}: {}", told(outcomes));
        }
        for seen in &self.phases {
            let outcomes = told(&seen.outcomes);
            let millis = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0} ms"));
            let (name, p50, p99, shed) = (&seen.name, millis(seen.p50), millis(seen.p99), millis(seen.shed_p99));
            print!("{name}: {} sent: {}; done in {p50}, 99 of 100 in {p99}, 503 in {shed}; ", seen.sent, outcomes);
            let after = seen.recovered.map_or(String::new(), |seconds| format!("; itself again after {seconds} s"));
            println!("{:.0} MiB{after}", seen.memory);
        }
    }

    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, serde_json::to_string(self)? + "\n").context("the report can't be written")
    }

    /// What must not be.
    pub(crate) fn faults(&self, tally: &Tally, logged: usize) -> Vec<String> {
        let mut faults: Vec<_> =
            tally.faults().into_iter().map(|(what, often)| format!("{often} times {what}")).collect();
        let (samples, sent) = (tally.samples(), tally.sent());
        if samples.len() as u64 != sent {
            faults.push(format!("{sent} requests were sent, and {} have an outcome", samples.len()));
        }
        let answered = samples.iter().filter(|one| one.outcome.is_answer()).count();
        let lost = samples.len() - answered;
        println!("{sent} requests: {answered} answered, {lost} not; the server's log tells of {logged}");
        if lost > 0 {
            faults.push(format!("{lost} requests were not answered"));
        }
        if logged != answered {
            faults.push(format!("{answered} requests were answered, and the server's log tells of {logged}"));
        }
        let memory = |name: &str| self.phases.iter().find(|seen| seen.name == name).map(|seen| seen.memory);
        if let Some((once, most)) = memory("1×").zip(memory("4×"))
            && most > MOST_GROWTH * once
        {
            faults.push(format!("{most:.0} MiB at four times the load, and {once:.0} MiB at once"));
        }
        let after = self.phases.iter().filter(|seen| seen.name.starts_with("after") && seen.recovered.is_none());
        faults.extend(after.map(|seen| format!("{}: the server isn't itself again", seen.name)));
        let done = |seen: &&Seen| seen.outcomes.get(Outcome::Done.name()).is_none_or(|number| *number == 0);
        faults.extend(self.phases.iter().filter(done).map(|seen| format!("{}: nothing was carried out", seen.name)));
        faults
    }
}

impl Machine {
    fn this() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let model = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_owned()));
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let busy = read("/proc/loadavg").split_whitespace().next().unwrap_or_default().to_owned();
        Self { processors, model: model.unwrap_or_default(), busy }
    }
}
