//! One scene played through: without a fault first, then with every fault of every call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use polygate_shared::http::paths;
use serde_json::Value;

use super::proof::Seen;
use super::scenes::{Play, scene};
use super::seam::{Fault, How, Kind, Name, Seam};
use super::stage::{Circumstances, Process, Stage, Table, Told};
use crate::support::World;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) endpoints: usize,
    /// That they make without a fault.
    pub(super) calls: usize,
    pub(super) runs: usize,
    /// Runs in which the fault was not felt, as the SDK's own repetition or the core's healed it.
    pub(super) healed: usize,
    /// Runs in which it was told, with when to ask again.
    pub(super) told: usize,
    /// Runs in which another process was faster.
    pub(super) overtaken: usize,
    pub(super) problems: Vec<String>,
    /// What 503 said.
    pub(super) unavailable: BTreeSet<String>,
    pub(super) by_fault: BTreeMap<String, usize>,
}

impl Findings {
    pub(super) fn add(&mut self, other: Self) {
        let Self { endpoints, calls, runs, healed, told, overtaken, problems, unavailable, by_fault } = other;
        self.endpoints += endpoints;
        self.calls += calls;
        self.runs += runs;
        self.healed += healed;
        self.told += told;
        self.overtaken += overtaken;
        self.problems.extend(problems);
        self.unavailable.extend(unavailable);
        for (fault, count) in by_fault {
            *self.by_fault.entry(fault).or_default() += count;
        }
    }
}

/// An endpoint, and which of its runs are wanted: those whose number leaves this rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) contract: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Where the endpoint has more than one scene: which.
    pub(super) variation: &'static str,
    pub(super) share: usize,
    pub(super) of: usize,
    /// Only this fault, also where it is one that no call is expected to have.
    pub(super) only: Option<How>,
    /// The write whose condition counts for nothing.
    pub(super) unconditional: Option<&'static str>,
}

pub(super) async fn sweep(part: Part) -> Findings {
    let Part { contract, method, path, variation, share, of, only, unconditional } = part;
    let mut world = World::start().await;
    let play = scene(&mut world, contract, method, path, variation).await;
    let function = paths().get(path).and_then(|groups| groups.first().copied());
    let stage = Stage::of(world, function.expect("a function with that path")).await;
    let named = format!("{contract} {method} {path}{variation}");
    let (planted, findings) = (only == Some(How::Swallowed), Findings::default());
    let mut round = Round { stage: &stage, play: &play, contract, named, unconditional, planted, findings };
    let (usual, calls) = round.without_fault().await;
    let writes = calls.iter().any(|(_, kind)| kind.is_write() || *kind == Kind::Mail);
    let faults = calls.iter().flat_map(|(name, kind)| {
        let overtaken = writes && play.silent.is_none();
        faults_of(*kind, only).into_iter().filter(move |how| overtaken || *how != How::Overtaken).flat_map(move |how| {
            // A mail is tried once, a call is overtaken once, and what is swallowed is never tried again.
            let both = *kind != Kind::Mail && !matches!(how, How::Overtaken | How::Swallowed);
            let lasting: &[bool] = if both { &[false, true] } else { &[false] };
            lasting.iter().map(move |lasts| (Fault { call: name.clone(), how, lasts: *lasts }, *kind))
        })
    });
    let wanted: Vec<_> = faults.enumerate().filter(|(nth, _)| nth % of == share).map(|(_, fault)| fault).collect();
    for (fault, kind) in wanted {
        round.with(fault, kind, usual).await;
    }
    let mut findings = round.findings;
    if share == 0 {
        findings.endpoints = usize::from(variation.is_empty());
        findings.calls = calls.len();
    }
    findings
}

/// The faults of such a call that are wanted.
fn faults_of(kind: Kind, only: Option<How>) -> Vec<How> {
    match only {
        None => kind.faults().to_vec(),
        Some(How::Swallowed) if kind.is_write() || kind == Kind::Mail => vec![How::Swallowed],
        Some(How::Hangs) if kind != Kind::Mail => vec![How::Hangs],
        Some(only) => kind.faults().iter().copied().filter(|how| *how == only).collect(),
    }
}

/// How often something is tried whose time may be over before it is done, on a machine that is busy with much else.
const TRIES: usize = 20;

struct Round<'a> {
    stage: &'a Stage,
    play: &'a Play,
    contract: &'static str,
    named: String,
    unconditional: Option<&'static str>,
    /// Whether what is found is what was planted, so that it alarms nobody.
    planted: bool,
    findings: Findings,
}

impl Round<'_> {
    /// The status that is usual, and the calls that are made.
    async fn without_fault(&mut self) -> (u16, Vec<(Name, Kind)>) {
        let (mut process, mut seam) = self.process(None).await;
        let mut told = process.answer(&self.play.request).await;
        for _ in 0..TRIES {
            if self.play.silent.is_none_or(|last| seam.calls().iter().any(|(name, _)| name.what == last)) {
                break;
            }
            self.stage.restore(&self.stage.look().await).await;
            (process, seam) = self.process(None).await;
            told = process.answer(&self.play.request).await;
        }
        let calls = seam.calls();
        let what = format!("{} without a fault", self.named);
        let whole = self.play.silent.is_none_or(|last| calls.iter().any(|(name, _)| name.what == last));
        if !whole || !told.is_fine() {
            self.problem(&what, format!("answers {} {} after {calls:?}", told.status, told.body));
        }
        self.conclude(&what, &process, &[&told]).await;
        (told.status, calls)
    }

    async fn process(&self, fault: Option<Fault>) -> (Process, Seam) {
        let (cold, brief) = (self.play.cold, fault.as_ref().is_some_and(|fault| fault.how == How::Hangs));
        self.stage.process(Circumstances { fault, unconditional: self.unconditional, cold, brief }).await
    }

    async fn with(&mut self, fault: Fault, kind: Kind, usual: u16) {
        let times = if fault.lasts { "always" } else { "once" };
        let what = format!("{}: {} (#{}) {:?} {times}", self.named, fault.call.what, fault.call.nth, fault.how);
        *self.findings.by_fault.entry(format!("{:?}", fault.how)).or_default() += 1;
        self.findings.runs += 1;
        let (mut process, mut seam) = self.process(Some(fault.clone())).await;
        if fault.how == How::Overtaken {
            return self.overtaken(&what, process, seam, usual).await;
        }
        let mut first = process.answer(&self.play.request).await;
        for _ in 0..TRIES {
            if seam.hit() > 0 || self.play.silent.is_none() {
                break;
            }
            // On a busy machine its time was over before this call.
            self.stage.restore(&self.stage.look().await).await;
            (process, seam) = self.process(Some(fault.clone())).await;
            first = process.answer(&self.play.request).await;
        }
        if seam.hit() == 0 {
            self.problem(&what, "the call was not made again".to_owned());
        }
        seam.begin(None, self.unconditional);
        let mut answers = vec![first.clone()];
        match (first.status == usual, first.status, first.retry_after) {
            (true, _, _) => self.findings.healed += 1,
            (false, 503, Some(span)) => {
                self.findings.told += 1;
                self.findings.unavailable.insert(format!("{}: {span:?} {}", self.contract, first.body));
                if !fault.lasts && kind != Kind::Mail {
                    self.problem(&what, format!("one failed attempt is felt: {}", first.body));
                }
                process.wait(span);
                let again = process.answer(&self.play.request).await;
                let took_place =
                    matches!(fault.how, How::Lost | How::Late | How::Hangs) && self.play.done.contains(&again.status);
                if !again.is_fine() && !took_place {
                    self.problem(&what, format!("asked again answers {} {}", again.status, again.body));
                }
                answers.push(again);
            }
            (false, status, retry) => self.problem(&what, format!("answers {status} ({retry:?}) {}", first.body)),
        }
        self.conclude(&what, &process, &answers.iter().collect::<Vec<_>>()).await;
    }

    /// Another process answers the same request just before the call.
    async fn overtaken(&mut self, what: &str, process: Process, seam: Seam, usual: u16) {
        self.findings.overtaken += 1;
        let (other, _other_seam) = self.process(None).await;
        let request = self.play.request.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        seam.meanwhile(Box::pin(async move {
            let answer = other.answer(&request).await;
            tell.send(answer).ok();
        }));
        let late = process.answer(&self.play.request).await;
        let Ok(early) = told.await else { return self.problem(what, "the call was not made again".to_owned()) };
        for answer in [&late, &early] {
            let documented = answer.status == usual
                || (400..500).contains(&answer.status)
                || (answer.status == 503 && answer.retry_after.is_some());
            if !documented {
                self.problem(what, format!("answers {} {}", answer.status, answer.body));
            }
        }
        if late.status != usual && early.status != usual {
            self.problem(what, format!("neither is done: {} {} and {}", late.status, late.body, early.body));
        }
        self.conclude(what, &process, &[&early, &late]).await;
    }

    /// Looks whether it is done, whether everything is as it must be, and puts the table back.
    async fn conclude(&mut self, what: &str, process: &Process, answers: &[&Told]) {
        let mut secrets = self.play.secrets.clone();
        for answer in answers {
            let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
            note_secrets("", &body, &mut secrets);
        }
        let mut found = self.check(what, &secrets).await;
        if !self.play.proofs.is_empty() {
            self.prove(what, process, answers).await;
            found = self.stage.look().await;
        }
        self.stage.restore(&found).await;
    }

    /// Asks another process, which knows only what stands in the table, whether it is done, and whether what was used is
    /// good for anything else.
    async fn prove(&mut self, what: &str, process: &Process, answers: &[&Told]) {
        let answers: Vec<_> = answers.iter().map(|answer| (*answer).clone()).collect();
        let (other, _seam) = self.process(None).await;
        other.wait(Duration::try_from(process.now() - other.now()).expect("no time before the beginning"));
        let silent = self.play.silent.is_some() && !self.planted;
        for proof in &self.play.proofs {
            let mut objection = None;
            for _ in 0..TRIES {
                let seen = Seen { world: &self.stage.world, now: other.now(), answers: &answers };
                let Some(request) = proof.ask(&seen) else { break };
                let answer = other.answer_any(&request).await;
                objection = proof.objection(&request, &answer, &seen);
                if objection.is_none() || !silent || !proof.is_of_effect() {
                    break;
                }
                // Whoever gets no mail asks for another one, as many as there are in an hour.
                other.wait(Duration::from_secs(3600));
                other.answer(&self.play.request).await;
            }
            if let Some(objection) = objection {
                self.problem(what, objection);
            }
        }
    }

    /// Looks whether the whole table is as it must be.
    async fn check(&mut self, what: &str, secrets: &BTreeSet<String>) -> Table {
        for defect in self.stage.defects().await {
            self.problem(what, defect);
        }
        let found = self.stage.look().await;
        for secret in secrets.iter().filter(|secret| is_held(&found, secret)) {
            self.problem(what, format!("a secret stands in clear: {secret}"));
        }
        found
    }

    fn problem(&mut self, what: &str, problem: String) {
        let problem = format!("{what}: {problem}");
        if !self.planted {
            super::tell(&problem);
        }
        self.findings.problems.push(problem);
    }
}

/// Whether a secret stands anywhere in the table. Six digits may be part of anything by chance, but not all of it.
fn is_held(table: &Table, secret: &str) -> bool {
    let told = format!("{table:?}");
    if secret.len() == 6 { told.contains(&format!("S({secret:?})")) } else { told.contains(secret) }
}

/// Tokens and recovery codes that an answer told.
fn note_secrets(name: &str, value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if name.ends_with("token") || name == "recovery_codes" => {
            secrets.extend((text.len() > 8).then(|| text.clone()));
        }
        Value::Array(list) => list.iter().for_each(|one| note_secrets(name, one, secrets)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| note_secrets(name, value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
