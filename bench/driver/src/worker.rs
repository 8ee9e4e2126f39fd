//! One of those who ask: a connection, and what it knows.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::connection::{Answer, Connection};
use crate::plan::{Plan, Step, Take};

/// Microseconds that each run of an operation took.
pub(crate) type Samples = BTreeMap<String, Vec<u64>>;

pub(crate) struct Worker {
    plan: Rc<Plan>,
    connection: Connection,
    values: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
    done: u64,
    rng: fastrand::Rng,
}

impl Worker {
    pub(crate) fn new(plan: Rc<Plan>, number: u8) -> Self {
        // Linux answers for all of 127.0.0.0/8.
        let connection = Connection::new(Ipv4Addr::new(127, 0, 3, number + 1), plan.address);
        let mut values = plan.values.clone();
        values.insert("worker".to_owned(), number.to_string());
        // The same for each service, so that all have the same order of operations.
        let rng = fastrand::Rng::with_seed(u64::from(number) + 1);
        Self { plan, connection, values, cookies: BTreeMap::new(), done: 0, rng }
    }

    /// One of the mix.
    pub(crate) fn choose(&mut self) -> String {
        let mut chosen = self.rng.u32(0..self.plan.mix.values().sum());
        let mut names = self.plan.mix.iter();
        let found = names.find(|(_, share)| chosen.checked_sub(**share).map(|rest| chosen = rest).is_none());
        found.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// Does it, all steps; `%{n}` is another number each time.
    pub(crate) async fn act(&mut self, operation: &str) -> anyhow::Result<()> {
        let plan = self.plan.clone();
        self.done += 1;
        self.values.insert("n".to_owned(), self.done.to_string());
        for step in plan.operations.get(operation).with_context(|| format!("no operation {operation}"))? {
            self.step(step).await.with_context(|| operation.to_owned())?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        let path = step.path.fill(&self.values);
        let mut request = format!("{} {path} HTTP/1.1\r\nhost: {}\r\n", step.method, self.plan.address);
        for (name, value) in &step.headers {
            request += &format!("{name}: {}\r\n", value.fill(&self.values));
        }
        if let Some(body) = &step.body {
            let body = body.fill(&self.values);
            request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        } else {
            request += if step.method == "GET" { "\r\n" } else { "content-length: 0\r\n\r\n" };
        }
        let answer = self.connection.ask(request.as_bytes()).await?;
        let told = || String::from_utf8_lossy(&answer.body).chars().take(400).collect::<String>();
        if answer.status != step.expect {
            bail!("{} {path}: {} and not {}: {}", step.method, answer.status, step.expect, told());
        }
        if step.keep_cookies {
            self.keep_cookies(&answer);
        }
        for (name, take) in &step.take {
            let taken = taken(&answer, take).with_context(|| format!("{path}: no {name} in the answer: {}", told()))?;
            self.values.insert(name.clone(), taken);
        }
        Ok(())
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.all("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.values.insert("cookies".to_owned(), pairs.join("; "));
    }
}

fn taken(answer: &Answer, take: &Take) -> Option<String> {
    match take {
        Take::Body(pointer) => {
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            Some(body.pointer(pointer)?.as_str()?.to_owned())
        }
        Take::Location(parameter) => {
            let address = answer.all("location").next()?;
            let (_, query) = address.split_once('?')?;
            query.split('&').find_map(|pair| Some(pair.strip_prefix(parameter)?.strip_prefix('=')?.to_owned()))
        }
    }
}
