//! What holds of one account and the keys, said again without a store, a signature or a hash.

use serde_json::Value;

use super::service::{Act, Seen};
use super::steps::Contract;
use super::tokens::{AccessToken, Refreshing, payload};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A new key is published for so long before it signs, and verifies for so long after the next one took over.
const KEY_LEAD: i64 = 3 * HOUR;
const KEY_TAIL: i64 = 7 * DAY + KEY_LEAD;

/// Life of an access token and, where it can be refreshed, of the session.
fn lives(contract: Contract) -> (i64, i64) {
    match contract {
        Contract::Kite => (2 * HOUR, 90 * DAY),
        Contract::Zeaya | Contract::Sproutgate => (7 * DAY, 7 * DAY),
        Contract::Mcphub => (DAY, DAY),
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    pub(super) id: String,
    contract: Contract,
    ended: bool,
    ends_at: i64,
    /// Newest last.
    pub(super) access: Vec<AccessToken>,
    pub(super) refreshing: Option<Refreshing>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    id: String,
    signs_from: i64,
}

/// The account as it must be, by all that was answered so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    /// Seconds since the epoch.
    pub(super) now: i64,
    pub(super) password: String,
    pub(super) former_password: String,
    /// In the order in which they were opened.
    pub(super) sessions: Vec<Session>,
    keys: Vec<Key>,
    /// Keys that sign by the end of what is done in the same instant: a token is signed last of all, when what it stands for
    /// has long been decided.
    coming: Vec<String>,
}

/// The status, and the code where the contract has one, of what an access token is worth.
const INVALID: (u16, u64) = (401, 40101);
const ENDED: (u16, u64) = (401, 40102);

impl Session {
    fn is_live(&self, now: i64) -> bool {
        !self.ended && now < self.refreshing.as_ref().map_or(self.ends_at, |chain| self.ends_at.min(chain.idle_until))
    }
}

impl Account {
    /// With one key, which `rotated` tells, and no session.
    pub(super) fn new(now: i64, password: &str, rotated: &Seen) -> Self {
        let keys = vec![Key { id: key_that("signing", rotated).expect("a key"), signs_from: now }];
        let password = password.to_owned();
        Self {
            now,
            former_password: format!("not-{password}"),
            password,
            sessions: Vec::new(),
            keys,
            coming: Vec::new(),
        }
    }

    /// Tells which of these acts, all done in the same instant, bring keys that sign at once. None do afterwards.
    pub(super) fn at_once_with(&mut self, acts: &[Act], seen: &[Seen]) {
        let rotated = acts.iter().zip(seen).filter(|(act, _)| matches!(act, Act::RotateKeys { at_once: true }));
        self.coming = rotated.filter_map(|(_, seen)| key_that("signing", seen).ok()).collect();
    }

    /// Whether this is what must have been answered, and what is so afterwards. `start` is how it was when what is sent
    /// in the same instant was sent.
    pub(super) fn explain(&mut self, act: &Act, seen: &Seen, start: &Self) -> Result<(), String> {
        match act {
            Act::SignIn { through, password } => self.sign_in(*through, password, seen),
            Act::Refresh { token } => self.refresh(token, seen),
            Act::Look { access, through } => {
                let expected = self.worth(access).map_or_else(|refused| refused, |_| (200, 0));
                is(seen, expected, *through == Contract::Kite)
            }
            Act::LogOut { access, through } => self.log_out(access, *through, seen, start),
            Act::EndSession { access, id } => self.end_session(access, id, seen, start),
            Act::EndOtherSessions { access } => match self.worth(access) {
                Err(refused) => is(seen, refused, true),
                Ok(own) => {
                    self.end_all_but(Some(own));
                    is(seen, (200, 0), true)
                }
            },
            Act::ChangePassword { access, through, old, new } => {
                let coded = *through == Contract::Kite;
                let own = match self.worth(access) {
                    Err(refused) => return is(seen, refused, coded),
                    Ok(own) => own,
                };
                let asked = *through != Contract::Sproutgate;
                if asked && *old != self.password {
                    return is(seen, (if *through == Contract::Mcphub { 401 } else { 400 }, 40010), coded);
                }
                self.set_password(new);
                self.end_all_but(Some(own));
                is(seen, (200, 0), coded)
            }
            Act::SetPassword { new } => {
                self.set_password(new);
                self.end_all_but(None);
                is(seen, (200, 0), false)
            }
            Act::RotateKeys { at_once } => self.rotate(*at_once, seen),
            Act::ListKeys => is(seen, (200, 0), true),
        }
    }

    fn sign_in(&mut self, through: Contract, password: &str, seen: &Seen) -> Result<(), String> {
        if *password != self.password {
            return is(seen, (401, 40100), through == Contract::Kite);
        }
        is(seen, (200, 0), through == Contract::Kite)?;
        let place = match through {
            Contract::Kite => "/data/access_token",
            Contract::Zeaya => "/data/token",
            Contract::Sproutgate | Contract::Mcphub => "/token",
        };
        let (life, longest) = lives(through);
        let ends_at = self.now + longest;
        let access = self.signed(&seen.text(place)?, life, ends_at)?;
        let id = payload(&access.text)["sid"].as_str().unwrap_or_default().to_owned();
        if self.sessions.iter().any(|session| session.id == id) {
            return Err(format!("session {id} was opened before"));
        }
        let refreshing = match through {
            Contract::Kite => Some(Refreshing::begin(seen.text("/data/refresh_token")?, self.now)),
            Contract::Zeaya | Contract::Sproutgate | Contract::Mcphub => None,
        };
        let access = vec![access];
        self.sessions.push(Session { id, contract: through, ended: false, ends_at, access, refreshing });
        Ok(())
    }

    fn refresh(&mut self, token: &str, seen: &Seen) -> Result<(), String> {
        let now = self.now;
        let known: Vec<String> =
            self.sessions.iter().filter_map(|s| s.refreshing.as_ref()).flat_map(Refreshing::all).collect();
        let of =
            |session: &Session| session.refreshing.as_ref().is_some_and(|chain| chain.all().any(|one| one == token));
        let nth = self.sessions.iter().position(of).ok_or("a token of nobody's")?;
        let mut session = self.sessions[nth].clone();
        let Some(chain) = session.refreshing.as_mut() else {
            return Err("a session without refresh tokens".to_owned());
        };
        if !self.sessions[nth].is_live(now) {
            return is(seen, ENDED, true);
        }
        if let Some(successor) = chain.repeated(token, now) {
            is(seen, (200, 0), true)?;
            if seen.text("/data/refresh_token")? != successor {
                return Err("another successor than the first time".to_owned());
            }
        } else if chain.may_move_on(token) {
            is(seen, (200, 0), true)?;
            let successor = seen.text("/data/refresh_token")?;
            if known.contains(&successor) {
                return Err("a successor that was handed out before".to_owned());
            }
            chain.move_on(token, successor, now);
        } else {
            session.ended = true;
            self.sessions[nth] = session;
            return is(seen, ENDED, true);
        }
        let access = self.signed(&seen.text("/data/access_token")?, lives(session.contract).0, session.ends_at)?;
        if payload(&access.text)["sid"] != session.id.as_str() {
            return Err("an access token of another session".to_owned());
        }
        session.access.push(access);
        self.sessions[nth] = session;
        Ok(())
    }

    /// Whose it is if it is good, or how it is refused.
    fn worth(&self, access: &str) -> Result<usize, (u16, u64)> {
        let mut found = self.sessions.iter().enumerate().flat_map(|(nth, session)| {
            session.access.iter().filter(|token| token.text == access).map(move |token| (nth, token))
        });
        let Some((nth, token)) = found.next() else { return Err(INVALID) };
        if self.now >= token.expires_at || !self.is_published(&token.key) {
            return Err(INVALID);
        }
        if self.sessions[nth].is_live(self.now) { Ok(nth) } else { Err(ENDED) }
    }

    /// Signing out, like ending a session, only deletes: whoever was let in may do so although the session ended in the
    /// same instant, and it makes no difference.
    fn log_out(&mut self, access: &str, through: Contract, seen: &Seen, start: &Self) -> Result<(), String> {
        let coded = matches!(through, Contract::Kite | Contract::Sproutgate);
        match (self.worth(access), start.worth(access)) {
            (Ok(own), _) => {
                self.sessions[own].ended = true;
                is(seen, (200, 0), coded)
            }
            (Err(_), Ok(_)) if seen.status == 200 => Ok(()),
            (Err(refused), _) => is(seen, refused, coded),
        }
    }

    fn end_session(&mut self, access: &str, id: &str, seen: &Seen, start: &Self) -> Result<(), String> {
        let live = |account: &Self| {
            account.sessions.iter().position(|session| session.id == id && session.is_live(account.now))
        };
        let was_let_in = start.worth(access).is_ok();
        match (self.worth(access), live(self)) {
            (Ok(_), Some(other)) => {
                self.sessions[other].ended = true;
                is(seen, (200, 0), true)
            }
            (Ok(_), None) if was_let_in && live(start).is_some() && seen.status == 200 => Ok(()),
            (Ok(_), None) => is(seen, (404, 40400), true),
            (Err(_), Some(other)) if was_let_in && seen.status == 200 => {
                self.sessions[other].ended = true;
                Ok(())
            }
            (Err(_), _) if was_let_in && matches!(seen.status, 200 | 404) => Ok(()),
            (Err(refused), _) => is(seen, refused, true),
        }
    }

    fn set_password(&mut self, new: &str) {
        self.former_password = std::mem::replace(&mut self.password, new.to_owned());
    }

    fn end_all_but(&mut self, own: Option<usize>) {
        for (nth, session) in self.sessions.iter_mut().enumerate() {
            session.ended |= own != Some(nth);
        }
    }

    fn rotate(&mut self, at_once: bool, seen: &Seen) -> Result<(), String> {
        is(seen, (200, 0), true)?;
        let waits = self.keys.last().is_some_and(|key| key.signs_from > self.now);
        let key = key_that(if at_once { "signing" } else { "waiting" }, seen).or_else(|_| newest_key(seen))?;
        if waits && !at_once {
            return Ok(());
        }
        if at_once {
            self.keys.clear();
        }
        let signs_from = if at_once { self.now } else { self.now + KEY_LEAD };
        self.keys.push(Key { id: key, signs_from });
        Ok(())
    }

    fn is_published(&self, key: &str) -> bool {
        let Some(nth) = self.keys.iter().position(|known| known.id == key) else { return false };
        let taken_over = self.keys[nth + 1..].iter().map(|later| later.signs_from).min();
        taken_over.is_none_or(|at| self.now < at + KEY_TAIL)
    }

    /// Notes an access token, if it is signed with the key whose time it is and ends when it must.
    fn signed(&self, text: &str, life: i64, ends_at: i64) -> Result<AccessToken, String> {
        let token = AccessToken::read(text);
        let signing = self.keys.iter().rev().find(|key| key.signs_from <= self.now).or(self.keys.first());
        if signing.map(|key| &key.id) != Some(&token.key) && !self.coming.contains(&token.key) {
            return Err(format!("signed with {}, not with {signing:?}", token.key));
        }
        let expected = (self.now + life).min(ends_at);
        if token.expires_at != expected {
            return Err(format!("an access token that ends at {} and not {expected}", token.expires_at));
        }
        Ok(token)
    }
}

fn keys(seen: &Seen) -> Result<&Vec<Value>, String> {
    seen.body["data"]["items"].as_array().ok_or_else(|| format!("no keys in {}", seen.body))
}

/// The key that an answer has in this state. What was rotated in the same instant may stand in it too.
fn key_that(state: &str, seen: &Seen) -> Result<String, String> {
    let key = keys(seen)?.iter().find(|key| key["state"] == state).and_then(|key| key["kid"].as_str());
    key.map(str::to_owned).ok_or_else(|| format!("no key is {state} in {}", seen.body))
}

/// The last one: where a rotation in the same instant threw away the one that is meant, it makes no difference which.
fn newest_key(seen: &Seen) -> Result<String, String> {
    let newest = keys(seen)?.last().and_then(|key| key["kid"].as_str());
    newest.map(str::to_owned).ok_or_else(|| format!("no key in {}", seen.body))
}

/// Whether status and, where the contract has it, code are these.
fn is(seen: &Seen, (status, code): (u16, u64), coded: bool) -> Result<(), String> {
    let same = seen.status == status && (!coded || seen.body["code"] == code);
    if same { Ok(()) } else { Err(format!("{status} {code} was due, and {} {} came", seen.status, seen.body)) }
}
