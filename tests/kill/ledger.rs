//! What one client was told is done, and what is missing of it once the server is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::people::{Doubt, Person};
use crate::server::{Answer, By, Running};
use crate::work::{DESCRIBE, LOGIN, LOGOUT, REFRESH, TOKENS, USAGE, VERIFY, credentials, payment, proof, registration};

/// Tokens that must be refused are looked at this far back: the rest were looked at before.
const DEAD_LOOKED_AT: usize = 4;

/// How long a wait after attempts that were cut off may be.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// One client's.
pub(crate) struct Ledger {
    number: usize,
    made: usize,
    pub(crate) chance: fastrand::Rng,
    pub(crate) people: Vec<Person>,
    /// Names of deleted accounts; none is given twice.
    gone: Vec<String>,
    /// What was asked last, while it isn't answered.
    pub(crate) doubt: Option<Doubt>,
    /// Acknowledged writes of all clients.
    acknowledged: Arc<AtomicUsize>,
    /// How often a request was cut off.
    pub(crate) doubts: usize,
}

impl Ledger {
    pub(crate) fn new(number: usize, chance: fastrand::Rng, acknowledged: Arc<AtomicUsize>) -> Self {
        let (people, gone) = (Vec::new(), Vec::new());
        Self { number, made: 0, chance, people, gone, doubt: None, acknowledged, doubts: 0 }
    }

    /// Counts a write that was answered as it must be.
    pub(crate) fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn new_name(&mut self) -> String {
        self.made += 1;
        format!("person-{}-{}", self.number, self.made)
    }

    /// A password, a text, a key: not to be guessed and never the same.
    pub(crate) fn new_text(&mut self) -> String {
        self.made += 1;
        format!("text-{}-{}-{:08x}", self.number, self.made, self.chance.u32(..))
    }

    pub(crate) fn revoked(&mut self, who: usize, token: usize) {
        let (_, secret) = self.people[who].tokens.remove(token);
        self.people[who].dead.push(secret);
    }

    pub(crate) fn signed_out(&mut self, who: usize) {
        let person = &mut self.people[who];
        person.dead.push(std::mem::take(&mut person.session));
        person.refresh.clear();
    }

    pub(crate) fn deleted(&mut self, who: usize) {
        self.gone.push(self.people.remove(who).name);
    }

    /// Finds out what became of the request that was cut off, mostly by asking it again as its client would. Returns
    /// what must not be.
    pub(crate) async fn settle(&mut self, server: &Running) -> Vec<String> {
        let Some(doubt) = self.doubt.take() else { return Vec::new() };
        let told = format!("{doubt:?}");
        let settled = self.settle_one(server, doubt).await;
        settled.err().map(|answer| format!("{told}, asked again: {answer:?}")).into_iter().collect()
    }

    async fn settle_one(&mut self, server: &Running, doubt: Doubt) -> Result<(), Answer> {
        match doubt {
            Doubt::Harmless => {}
            Doubt::Register { name, password } => {
                let body = Some(registration(&name, &password));
                // Done by then or done by now: both are whole.
                expect(server.ask(Method::POST, "/kite/api/v1/auth/register", By::Anybody, body).await, &[201, 409])?;
                self.people.push(Person::new(&name, &password));
                self.sign_in(server, self.people.len() - 1).await?;
            }
            Doubt::Verify { name, password, code } => {
                expect(server.ask(Method::POST, VERIFY, By::Anybody, Some(proof(&name, &code))).await, &[200])?;
                self.people.push(Person::new(&name, &password));
                self.sign_in(server, self.people.len() - 1).await?;
            }
            Doubt::Refresh { who } => {
                let body = json!({"refresh_token": self.people[who].refresh});
                let answer = expect(server.ask(Method::POST, REFRESH, By::Anybody, Some(body)).await, &[200])?;
                self.people[who].signed_in(answer.text("/data/access_token"), answer.text("/data/refresh_token"));
            }
            Doubt::Describe { who, bio } => {
                let person = &mut self.people[who];
                let answer = me(server, &person.session).await;
                let there = answer.body["user"]["bio"].clone();
                if there != json!(person.bio) && there != json!(bio) {
                    return Err(answer);
                }
                let body = Some(json!({"bio": bio}));
                expect(server.ask(Method::PUT, DESCRIBE, By::Bearer(&person.session), body).await, &[200])?;
                person.bio = bio;
            }
            Doubt::Draw { who } => {
                let person = &mut self.people[who];
                let user = server.ask(Method::GET, "/zeaya/api/auth/user", By::Bearer(&person.session), None).await;
                person.picture = expect(user, &[200])?.text("/data/avatar");
            }
            Doubt::MakeToken { who } => self.settle_tokens(server, who).await?,
            Doubt::RevokeToken { who, token } => {
                let path = format!("{TOKENS}/{}", self.people[who].tokens[token].0);
                let bearer = By::Bearer(&self.people[who].session);
                expect(server.ask(Method::DELETE, &path, bearer, None).await, &[200, 404])?;
                self.revoked(who, token);
            }
            Doubt::ChangePassword { who, password } => {
                let answer = expect(log_in(server, &self.people[who].name, &password).await, &[200, 401])?;
                if answer.status == 200 {
                    let former = std::mem::replace(&mut self.people[who].password, password);
                    expect(log_in(server, &self.people[who].name, &former).await, &[401])?;
                }
                self.sign_in(server, who).await?;
            }
            Doubt::Pay { who, coins, key } => {
                let body = Some(payment(&self.people[who].name, coins));
                expect(server.ask(Method::POST, USAGE, By::Administrator(&key), body).await, &[200])?;
                self.people[who].coins += coins;
            }
            Doubt::SignOut { who } => {
                let bearer = By::Bearer(&self.people[who].session);
                // Who has signed out already is told that the session is over.
                expect(server.ask(Method::POST, LOGOUT, bearer, Some(json!({}))).await, &[200, 401])?;
                self.signed_out(who);
            }
            Doubt::Delete { who } => {
                let path = format!("/sproutgate/api/admin/users/{}", self.people[who].name);
                expect(server.ask(Method::DELETE, &path, By::Administrator(""), None).await, &[200, 404])?;
                self.deleted(who);
            }
        }
        Ok(())
    }

    async fn sign_in(&mut self, server: &Running, who: usize) -> Result<(), Answer> {
        let person = &mut self.people[who];
        let answer = expect(log_in(server, &person.name, &person.password).await, &[200])?;
        person.signed_in(answer.text("/data/access_token"), answer.text("/data/refresh_token"));
        Ok(())
    }

    /// One token more than is known is the one that was cut off. Nobody has its secret, so it is revoked.
    async fn settle_tokens(&mut self, server: &Running, who: usize) -> Result<(), Answer> {
        let person = &self.people[who];
        let bearer = By::Bearer(&person.session);
        let listed = expect(server.ask(Method::GET, TOKENS, bearer, None).await, &[200])?;
        let ids = listed.body["data"]["tokens"].as_array().or_else(|| listed.body["data"].as_array());
        let ids: Vec<_> = ids.expect("a list").iter().filter_map(|token| token["id"].as_str()).collect();
        let unknown: Vec<_> = ids.iter().filter(|id| person.tokens.iter().all(|(known, _)| known != *id)).collect();
        if unknown.len() > 1 || ids.len() - unknown.len() != person.tokens.len() {
            return Err(listed);
        }
        for id in unknown {
            expect(server.ask(Method::DELETE, &format!("{TOKENS}/{id}"), bearer, None).await, &[200])?;
        }
        Ok(())
    }

    /// What was acknowledged and isn't so.
    pub(crate) async fn lost(&self, server: &Running) -> Vec<String> {
        let mut lost = Vec::new();
        for person in &self.people {
            self.lost_of(person, server, &mut lost).await;
        }
        for name in self.gone.iter().rev().take(2) {
            let path = format!("/sproutgate/api/admin/users/{name}");
            let answer = server.ask(Method::DELETE, &path, By::Administrator(""), None).await;
            if answer.status != 404 {
                lost.push(format!("{name} was deleted and is there"));
            }
        }
        lost
    }

    async fn lost_of(&self, person: &Person, server: &Running, lost: &mut Vec<String>) {
        let name = &person.name;
        if !person.session.is_empty() {
            let answer = me(server, &person.session).await;
            let user = &answer.body["user"];
            if (&user["bio"], &user["sproutCoins"]) != (&json!(person.bio), &json!(person.coins)) {
                lost.push(format!("{name}: {person:?} is {answer:?}"));
            }
        }
        for (_, token) in &person.tokens {
            let answer = server.ask(Method::GET, "/kite/api/v1/profile", By::Bearer(token), None).await;
            if answer.status != 200 {
                lost.push(format!("{name}: an API token: {answer:?}"));
            }
        }
        for token in person.dead.iter().rev().take(DEAD_LOOKED_AT) {
            let answer = server.ask(Method::GET, "/kite/api/v1/profile", By::Bearer(token), None).await;
            if answer.status != 401 {
                lost.push(format!("{name}: a dead token: {answer:?}"));
            }
        }
        if !person.picture.is_empty() {
            let answer = server.ask(Method::GET, &person.picture, By::Anybody, None).await;
            if answer.status != 200 {
                lost.push(format!("{name}: the picture {}: {answer:?}", person.picture));
            }
        }
    }

    /// Whose acknowledged password doesn't sign them in: a hash each, so this is asked seldom.
    pub(crate) async fn locked_out(&self, server: &Running) -> Vec<String> {
        let mut found = Vec::new();
        for Person { name, password, .. } in &self.people {
            let answer = log_in(server, name, password).await;
            if answer.status != 200 {
                found.push(format!("{name} can't sign in: {answer:?}"));
            }
        }
        found
    }
}

/// Signs in, and waits where attempts that were cut off are counted.
async fn log_in(server: &Running, name: &str, password: &str) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.ask(Method::POST, LOGIN, By::Anybody, Some(credentials(name, password))).await;
        if answer.status != 429 || began.elapsed() > LONGEST_WAIT {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn me(server: &Running, session: &str) -> Answer {
    server.ask(Method::GET, "/sproutgate/api/auth/me", By::Bearer(session), None).await
}

fn expect(answer: Answer, statuses: &[u16]) -> Result<Answer, Answer> {
    if statuses.contains(&answer.status) { Ok(answer) } else { Err(answer) }
}
