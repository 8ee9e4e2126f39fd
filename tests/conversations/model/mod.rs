//! Random sequences of whatever a person, a thief and an administrator do with sessions, tokens and keys, each answer
//! compared with a model that fits on a page. What is sent in the same instant may have been done in any order that
//! explains all of its answers.

mod account;
mod service;
mod steps;
mod tokens;

use std::time::Duration;

use polygate_shared::identity::Clock;
use tokio::runtime::Builder;

use crate::histories::{Step, nth_newest, orders, play_all};
use account::{Account, Session};
use service::{Act, Seen, Service};
use steps::{Contract, Wish};

const FIRST_PASSWORD: &str = "password-0";

#[test]
fn the_service_and_a_small_model_never_disagree_about_sessions_tokens_and_keys() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let service = runtime.block_on(Service::start());
    play_all(steps::step(), |steps| runtime.block_on(async { Play::begin(&service).await.all(steps).await }));
}

/// One sequence, with an account of its own.
struct Play<'a> {
    service: &'a Service,
    name: String,
    /// Each way in which everything so far can have come about.
    possible: Vec<Account>,
    passwords: usize,
    /// What was done and answered, for whoever reads of a failure.
    told: String,
}

impl<'a> Play<'a> {
    async fn begin(service: &'a Service) -> Self {
        let name = service.register(FIRST_PASSWORD).await;
        let rotated = service.perform(&name, &Act::RotateKeys { at_once: true }).await;
        let now = service.world.clock.now().unix_timestamp();
        let possible = vec![Account::new(now, FIRST_PASSWORD, &rotated)];
        Self { service, name, possible, passwords: 0, told: String::new() }
    }

    async fn all(mut self, steps: &[Step<Wish>]) -> Result<(), String> {
        self.together(&[Wish::SignIn { through: Contract::Kite, with_former_password: false }]).await?;
        for step in steps {
            match step {
                Step::One(wish) => self.together(std::slice::from_ref(wish)).await?,
                Step::Together(wishes) => self.together(wishes).await?,
                Step::Seconds(seconds) => self.wait(*seconds),
            }
            self.look_at_everything().await?;
        }
        self.refresh_everything().await
    }

    fn wait(&mut self, seconds: u32) {
        self.service.world.clock.advance(Duration::from_secs(seconds.into()));
        self.possible.iter_mut().for_each(|account| account.now += i64::from(seconds));
        self.told.push_str(&format!("  {seconds} s pass\n"));
    }

    /// The newest access token of every session, each in the next contract.
    async fn look_at_everything(&mut self) -> Result<(), String> {
        const ALL: [Contract; 4] = [Contract::Kite, Contract::Zeaya, Contract::Sproutgate, Contract::Mcphub];
        let newest = self.account().sessions.iter().filter_map(|session| session.access.last());
        let looks = newest
            .zip(ALL.iter().cycle())
            .map(|(token, through)| Act::Look { access: token.text.clone(), through: *through });
        for look in looks.collect::<Vec<_>>() {
            self.perform(vec![look]).await?;
        }
        Ok(())
    }

    /// The live refresh token of every session, and then what it was exchanged for.
    async fn refresh_everything(&mut self) -> Result<(), String> {
        for nth in 0..self.account().sessions.len() {
            self.together(&[Wish::Refresh { session: nth, token: 0 }]).await?;
        }
        self.look_at_everything().await
    }

    fn account(&self) -> &Account {
        &self.possible[0]
    }

    async fn together(&mut self, wishes: &[Wish]) -> Result<(), String> {
        let acts = wishes.iter().filter_map(|wish| self.act(wish)).collect();
        self.perform(acts).await
    }

    /// A wish with what it takes now; `None` where there is nothing of the kind.
    fn act(&mut self, wish: &Wish) -> Option<Act> {
        let session = |nth: usize| nth_newest(&self.possible[0].sessions, nth);
        let access = |session: &Session, nth: usize| nth_newest(&session.access, nth).map(|token| token.text.clone());
        Some(match wish {
            Wish::SignIn { through, with_former_password } => {
                Act::SignIn { through: *through, password: self.a_password(*with_former_password) }
            }
            Wish::Refresh { session: nth, token } => {
                let tokens: Vec<_> = session(*nth)?.refreshing.as_ref()?.all().collect();
                Act::Refresh { token: tokens[token % tokens.len()].clone() }
            }
            Wish::LogOut { session: nth } => {
                let through = if nth % 2 == 0 { Contract::Kite } else { Contract::Zeaya };
                Act::LogOut { access: access(session(*nth)?, 0)?, through }
            }
            Wish::ChangePassword { session: nth, through, with_former_password } => {
                let access = access(session(*nth)?, 0)?;
                let old = self.a_password(*with_former_password);
                Act::ChangePassword { access, through: *through, old, new: self.new_password() }
            }
            Wish::SetPasswordAsAdministrator => Act::SetPassword { new: self.new_password() },
            Wish::EndSession { by, other } => {
                Act::EndSession { access: access(session(*by)?, 0)?, id: session(*other)?.id.clone() }
            }
            Wish::EndOtherSessions { by } => Act::EndOtherSessions { access: access(session(*by)?, 0)? },
            Wish::Look { session: nth, token, through } => {
                Act::Look { access: access(session(*nth)?, *token)?, through: *through }
            }
            Wish::RotateKeys { at_once } => Act::RotateKeys { at_once: *at_once },
            Wish::ListKeys => Act::ListKeys,
        })
    }

    fn a_password(&self, former: bool) -> String {
        let account = self.account();
        if former { account.former_password.clone() } else { account.password.clone() }
    }

    fn new_password(&mut self) -> String {
        self.passwords += 1;
        format!("password-{}", self.passwords)
    }

    /// Does these at once, and keeps the accounts that explain what came of it.
    async fn perform(&mut self, acts: Vec<Act>) -> Result<(), String> {
        let sent = acts.iter().map(|act| self.service.perform(&self.name, act));
        let seen = futures_util::future::join_all(sent).await;
        let (mut explained, mut why) = (Vec::new(), Vec::new());
        for account in &self.possible {
            for order in orders(acts.len()) {
                match in_this_order(account, &acts, &seen, &order) {
                    Ok(next) if explained.contains(&next) => {}
                    Ok(next) => explained.push(next),
                    Err(reason) => why.push(format!("    in the order {order:?}: {reason}")),
                }
            }
        }
        for (act, seen) in acts.iter().zip(&seen) {
            self.told.push_str(&format!("  {} ▶ {} {}\n", told(act), seen.status, seen.body["code"]));
        }
        if acts.len() > 1 {
            self.told.push_str(&format!("  ({} at once)\n", acts.len()));
        }
        if explained.is_empty() && !acts.is_empty() {
            why.truncate(6);
            return Err(format!(
                "what came of the last {} is not possible:\n{}\n{}",
                acts.len(),
                self.told,
                why.join("\n")
            ));
        }
        self.possible = explained;
        Ok(())
    }
}

fn in_this_order(account: &Account, acts: &[Act], seen: &[Seen], order: &[usize]) -> Result<Account, String> {
    let mut next = account.clone();
    next.at_once_with(acts, seen);
    for nth in order {
        next.explain(&acts[*nth], &seen[*nth], account)?;
    }
    next.at_once_with(&[], &[]);
    Ok(next)
}

/// An act with the ends of its tokens, by which one is told from another.
fn told(act: &Act) -> String {
    let mut told = format!("{act:?}");
    for word in format!("{act:?}").split('"').filter(|word| word.len() > 60) {
        told = told.replace(word, &format!("…{}", &word[word.len() - 6..]));
    }
    told
}
