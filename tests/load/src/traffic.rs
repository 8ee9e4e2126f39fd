//! What people do: the mix of requests over all four contracts, and what may be answered to each.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use fastrand::Rng;
use serde_json::json;
use tokio::time::Instant;

use crate::client::{Ask, Contract, Outcome, Said, Source};
use crate::mail::Codes;
use crate::people::{Newcomers, Person, State};
use crate::tally::Tally;

/// What is asked, and how often among a hundred.
const MIX: [(Kind, u32); 10] = [
    (Kind::Read, 40),
    (Kind::Verify, 14),
    (Kind::SignIn, 14),
    (Kind::SignOut, 5),
    (Kind::Refresh, 10),
    (Kind::ChangeProfile, 8),
    (Kind::ChangePassword, 1),
    (Kind::Register, 3),
    (Kind::RegisterByMail, 2),
    (Kind::Guess, 3),
];

/// How many addresses strangers guess from.
const STRANGERS: u8 = 8;
/// How many people are looked at for one who isn't busy.
const LOOKS: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Verify,
    SignIn,
    SignOut,
    Refresh,
    ChangeProfile,
    ChangePassword,
    Register,
    RegisterByMail,
    Guess,
}

/// Everybody.
pub(crate) struct Crowd {
    pub(crate) base: String,
    pub(crate) people: Vec<Person>,
    pub(crate) newcomers: Newcomers,
    pub(crate) codes: Codes,
    pub(crate) tally: Tally,
    strangers: Vec<Source>,
    counter: AtomicU32,
}

impl Crowd {
    pub(crate) fn new(base: String, people: Vec<Person>, codes: Codes) -> Self {
        let strangers = (1..=STRANGERS).map(|last| Source::at(&base, Ipv4Addr::new(127, 0, 2, last))).collect();
        let (newcomers, tally, counter) = (Newcomers::default(), Tally::start(), AtomicU32::new(0));
        Self { base, people, newcomers, codes, tally, strangers, counter }
    }

    /// Has somebody do something, which was to begin at that time.
    pub(crate) async fn act(&self, meant: Instant, mut rng: Rng) {
        let mut chosen = rng.u32(0..MIX.iter().map(|(_, share)| share).sum());
        let kind = MIX.iter().find(|(_, share)| chosen.checked_sub(*share).map(|rest| chosen = rest).is_none());
        let contract = Contract::ALL[rng.usize(0..Contract::ALL.len())];
        match kind.map_or(Kind::Read, |(kind, _)| *kind) {
            Kind::Read => self.read(meant, contract, self.anybody(&mut rng)).await,
            Kind::Verify => self.verify(meant, self.anybody(&mut rng)).await,
            Kind::SignIn => self.sign_in(meant, contract, &mut rng).await,
            Kind::SignOut => self.sign_out(meant, contract, &mut rng).await,
            Kind::Refresh => self.refresh(meant, &mut rng).await,
            Kind::ChangeProfile => self.change_profile(meant, contract, &mut rng).await,
            Kind::ChangePassword => self.change_password(meant, contract, &mut rng).await,
            Kind::Register => self.register(meant, contract).await,
            Kind::RegisterByMail => self.register_by_mail(meant).await,
            Kind::Guess => self.guess(meant, contract, &mut rng).await,
        }
    }

    /// Sends a request and takes in what became of it. `refusals` are the statuses below 500 that it may be refused by.
    async fn ask(&self, kind: &'static str, meant: Instant, source: &Source, ask: &Ask, refusals: &[u16]) -> Said {
        self.tally.sending();
        let said = source.ask(ask).await;
        self.tally.ended(kind, meant, &said);
        let refused = matches!(said.outcome, Outcome::Refused | Outcome::TooMany);
        if refused && !refusals.contains(&said.status) || said.outcome == Outcome::Fault {
            self.tally.fault(format!("{kind} by {:?} {}: {} {}", ask.contract, ask.path, said.status, said.body));
        }
        said
    }

    fn anybody(&self, rng: &mut Rng) -> &Person {
        &self.people[rng.usize(0..self.people.len())]
    }

    /// Somebody who isn't busy changing something.
    fn free(&self, rng: &mut Rng) -> Option<(&Person, tokio::sync::MutexGuard<'_, State>)> {
        (0..LOOKS).find_map(|_| {
            let person = self.anybody(rng);
            Some((person, person.state.try_lock().ok()?))
        })
    }

    async fn read(&self, meant: Instant, contract: Contract, person: &Person) {
        let path = match contract {
            Contract::Kite => "/api/v1/profile",
            Contract::Zeaya | Contract::Mcphub => "/api/auth/user",
            Contract::Sproutgate => "/api/auth/me",
        };
        self.ask("read", meant, &person.source, &Ask::get(contract, path).bearing(&person.access()), &[]).await;
    }

    async fn verify(&self, meant: Instant, person: &Person) {
        let ask = Ask::post(Contract::Sproutgate, "/api/auth/verify", json!({"token": person.access()}));
        self.ask("verify", meant, &person.source, &ask, &[]).await;
    }

    async fn sign_in(&self, meant: Instant, contract: Contract, rng: &mut Rng) {
        let Some((person, mut state)) = self.free(rng) else {
            return self.read(meant, contract, self.anybody(rng)).await;
        };
        let refusals: &[u16] = if state.or_password.is_some() { &[401] } else { &[] };
        let ask = person.sign_in(contract, &state.password);
        let said = self.ask("sign in", meant, &person.source, &ask, refusals).await;
        if said.status == 401
            && let Some(other) = state.or_password.take()
        {
            state.password = other;
        }
        if said.is_done() {
            state.or_password = None;
            let pointers = ["/data/access_token", "/data/token", "/token"];
            match pointers.iter().find_map(|pointer| said.text(pointer)) {
                Some(token) => state.others.push(token),
                None => self.tally.fault(format!("a sign-in without a token: {}", said.body)),
            }
        }
    }

    async fn sign_out(&self, meant: Instant, contract: Contract, rng: &mut Rng) {
        let found = self.free(rng).and_then(|(person, mut state)| Some((person, state.others.pop()?, state)));
        let Some((person, token, mut state)) = found else { return self.sign_in(meant, contract, rng).await };
        let (contract, path) = match contract {
            Contract::Kite | Contract::Sproutgate => (Contract::Kite, "/api/v1/auth/logout"),
            Contract::Zeaya | Contract::Mcphub => (Contract::Zeaya, "/api/auth/logout"),
        };
        let ask = Ask::post(contract, path, json!({})).bearing(&token);
        if self.ask("sign out", meant, &person.source, &ask, &[]).await.is_done() {
            state.ended.push(token);
        }
    }

    async fn refresh(&self, meant: Instant, rng: &mut Rng) {
        let Some((person, mut state)) = self.free(rng) else {
            return self.verify(meant, self.anybody(rng)).await;
        };
        let ask = Ask::post(Contract::Kite, "/api/v1/auth/refresh", json!({"refresh_token": state.refresh}));
        let said = self.ask("refresh", meant, &person.source, &ask, &[]).await;
        let pair = said.text("/data/refresh_token").zip(said.text("/data/access_token"));
        match pair {
            Some((refresh, access)) => {
                state.refresh = refresh;
                state.refresh_in_doubt = false;
                person.set_access(access);
            }
            None => state.refresh_in_doubt |= !said.is_refused(),
        }
    }

    async fn change_profile(&self, meant: Instant, contract: Contract, rng: &mut Rng) {
        let Some((person, mut state)) = self.free(rng) else {
            return self.read(meant, contract, self.anybody(rng)).await;
        };
        let nickname = format!("nick {}", self.next());
        let ask = match contract {
            Contract::Kite => Ask::put(Contract::Kite, "/api/v1/profile", json!({"nickname": nickname})),
            Contract::Zeaya => Ask::put(Contract::Zeaya, "/api/auth/profile", json!({"nickname": nickname})),
            Contract::Sproutgate | Contract::Mcphub => {
                Ask::put(Contract::Sproutgate, "/api/auth/profile", json!({"username": nickname}))
            }
        };
        let said = self.ask("change profile", meant, &person.source, &ask.bearing(&person.access()), &[]).await;
        if said.is_done() {
            state.nicknames = vec![nickname];
        } else if !said.is_refused() {
            state.nicknames.push(nickname);
        }
    }

    async fn change_password(&self, meant: Instant, contract: Contract, rng: &mut Rng) {
        let found = self.free(rng).filter(|(_, state)| state.or_password.is_none());
        let Some((person, mut state)) = found else { return self.verify(meant, self.anybody(rng)).await };
        let (old, new) = (state.password.clone(), format!("password-{}", self.next()));
        let ask = match contract {
            Contract::Kite => {
                let body = json!({"old_password": old, "new_password": new});
                Ask::post(contract, "/api/v1/auth/change-password", body)
            }
            Contract::Zeaya => {
                Ask::put(contract, "/api/auth/password", json!({"old_password": old, "new_password": new}))
            }
            Contract::Sproutgate => Ask::put(contract, "/api/auth/profile", json!({"password": new})),
            Contract::Mcphub => {
                let body = json!({"currentPassword": old, "newPassword": new});
                Ask::post(contract, "/api/auth/change-password", body)
            }
        };
        let said = self.ask("change password", meant, &person.source, &ask.bearing(&person.access()), &[]).await;
        if said.is_done() {
            state.password = new;
            let ended = std::mem::take(&mut state.others);
            state.ended.extend(ended);
        } else if !said.is_refused() {
            // Whether the other sessions are over is not known either.
            state.or_password = Some(new);
            state.others.clear();
        }
    }

    async fn register(&self, meant: Instant, contract: Contract) {
        let (name, password) = (format!("newcomer{}", self.next()), "a-new-password".to_owned());
        let email = format!("{name}@example.com");
        let ask = match contract {
            Contract::Kite | Contract::Sproutgate => {
                let body = json!({"username": name, "email": email, "password": password});
                Ask::post(Contract::Kite, "/api/v1/auth/register", body)
            }
            Contract::Zeaya => {
                let body = json!({"username": name, "email": email, "password": password});
                Ask::post(contract, "/api/auth/register", body)
            }
            Contract::Mcphub => {
                Ask::post(contract, "/api/auth/register", json!({"username": name, "password": password}))
            }
        };
        if self.ask("register", meant, &self.elsewhere(), &ask, &[]).await.is_done() {
            self.newcomers.add(name, password);
        }
    }

    async fn register_by_mail(&self, meant: Instant) {
        let (name, password) = (format!("newcomer{}", self.next()), "a-new-password".to_owned());
        let (email, source) = (format!("{name}@example.com"), self.elsewhere());
        let body = json!({"account": name, "email": email, "password": password});
        let ask = Ask::post(Contract::Sproutgate, "/api/auth/register", body);
        if !self.ask("ask for a code", meant, &source, &ask, &[]).await.is_done() {
            return;
        }
        let Some(code) = self.codes.take(&email) else {
            return self.tally.fault("a code was acknowledged and not mailed".to_owned());
        };
        let body = json!({"account": name, "code": code});
        let ask = Ask::post(Contract::Sproutgate, "/api/auth/verify-email", body);
        if self.ask("prove a code", Instant::now(), &source, &ask, &[]).await.is_done() {
            self.newcomers.add(name, password);
        }
    }

    /// A stranger guesses at a password; people who sign in from a device of theirs don't notice.
    async fn guess(&self, meant: Instant, contract: Contract, rng: &mut Rng) {
        let stranger = &self.strangers[rng.usize(0..self.strangers.len())];
        let ask = self.anybody(rng).sign_in(contract, "a wrong password");
        let said = self.ask("guess", meant, stranger, &ask, &[401, 429]).await;
        if said.is_done() {
            self.tally.fault("a guess was right".to_owned());
        }
    }

    fn next(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// Newcomers each come from an address of their own.
    pub(crate) fn elsewhere(&self) -> Source {
        let [_, high, middle, low] = self.next().to_be_bytes();
        Source::at(&self.base, Ipv4Addr::new(127, 8 + high % 200, middle, low))
    }
}
