//! Random histories of a small pool in which people get into each other's way: names, addresses, codes, disabled and
//! deleted accounts. Each answer, each mail and what is stored afterwards are compared with rules that know no store.
//! What is sent in the same instant may have been done in any order that explains all of it.

mod acts;
mod addresses;
mod codes;
mod rules;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use polygate_shared::identity::Clock;
use tokio::runtime::Builder;

use crate::histories::{Step, nth_newest, orders, play_all};
use acts::{Act, Claims, Letter, Seen, Service};
use rules::{Account, Kind, Pool};
use steps::{ADDRESSES, NAMES, Wish};

/// No code is this one but by a chance of one in a million.
const WRONG: &str = "000000";

#[test]
fn the_service_and_small_rules_never_disagree_about_names_addresses_and_codes() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let service = runtime.block_on(Service::start());
    play_all(steps::step(), |steps| runtime.block_on(Play::begin(&service).all(steps)));
    println!("{}", service.tally());
    let (busy, all) = service.busy();
    assert!(busy * 50 <= all, "{busy} of {all} requests were told to come again");
    let (cut_off, due) = service.resets_cut_off();
    println!("{cut_off} of {due} mails with a code to reset a password were cut off");
    assert!(cut_off * 3 <= due, "of {due} mails with a code to reset a password {cut_off} didn't arrive");
    assert!(service.times("Reset", 200) > 0, "no password was reset in all histories");
    runtime.block_on(service.world.is_sound());
}

/// One history, with names and addresses of its own.
struct Play<'a> {
    service: &'a Service,
    names: Vec<String>,
    addresses: Vec<String>,
    /// Each way in which everything so far can have come about.
    possible: Vec<Pool>,
    numbers: usize,
    /// Whether a mail was cut off, or a machine that is busy with something else had a request come again, so that nobody
    /// knows what is stored of it.
    broken_off: bool,
    /// What was done and answered, for whoever reads of a failure.
    told: String,
}

impl<'a> Play<'a> {
    fn begin(service: &'a Service) -> Self {
        let history = service.history();
        let now = service.world.clock.now().unix_timestamp();
        let pool = Pool {
            now,
            accounts: BTreeMap::new(),
            codes: Vec::new(),
            mails: codes::Mails::default(),
            arrived: Vec::new(),
        };
        service.letters();
        Self {
            service,
            names: (0..NAMES).map(|nth| format!("person{nth}-{history}")).collect(),
            addresses: (0..ADDRESSES).map(|nth| format!("mail{nth}-{history}@example.com")).collect(),
            possible: vec![pool],
            numbers: 0,
            broken_off: false,
            told: String::new(),
        }
    }

    async fn all(mut self, steps: &[Step<Wish>]) -> Result<(), String> {
        for step in steps {
            match step {
                Step::One(wish) => self.together(std::slice::from_ref(wish)).await?,
                Step::Together(wishes) => self.together(wishes).await?,
                Step::Seconds(seconds) => self.wait(*seconds),
            }
            if self.broken_off {
                break;
            }
        }
        Ok(())
    }

    fn wait(&mut self, seconds: u32) {
        self.service.world.clock.advance(Duration::from_secs(seconds.into()));
        self.possible.iter_mut().for_each(|pool| pool.now += i64::from(seconds));
        self.told.push_str(&format!("  {seconds} s pass\n"));
    }

    fn pool(&self) -> &Pool {
        &self.possible[0]
    }

    async fn together(&mut self, wishes: &[Wish]) -> Result<(), String> {
        for wish in wishes {
            self.prepare(wish).await?;
        }
        if self.broken_off {
            return Ok(());
        }
        let acts = wishes.iter().filter_map(|wish| self.act(wish)).collect();
        self.perform(acts).await
    }

    /// Whoever is about to do something signs in, where nothing keeps them out, or has a code mailed to reset by.
    async fn prepare(&mut self, wish: &Wish) -> Result<(), String> {
        let who = match wish {
            Wish::AskForAddress { who, .. }
            | Wish::ChangeAddress { who, .. }
            | Wish::Promote { who, .. }
            | Wish::Remove { who, .. } => self.nth_person(*who),
            Wish::ProveAddress { code, .. } => self.code_for_address(*code).map(|(who, ..)| who),
            Wish::Reset { code, .. } => return self.forget(*code).await,
            Wish::Register { .. }
            | Wish::AskToRegister { .. }
            | Wish::ProveRegistration { .. }
            | Wish::Forget { .. }
            | Wish::Rename { .. }
            | Wish::SetAddress { .. }
            | Wish::Activate { .. }
            | Wish::Delete { .. } => None,
        };
        let Some(who) = who else { return Ok(()) };
        let account = self.pool().account(who);
        if account.has_live_token() || !account.active || account.deleted {
            return Ok(());
        }
        let (name, password) = (account.name.clone(), account.password.clone());
        self.perform(vec![Act::SignIn { who, name, password }]).await
    }

    /// Somebody who can be mailed asks for a code to reset by, where there is none.
    async fn forget(&mut self, nth: usize) -> Result<(), String> {
        let Some(who) = self.nth_person(nth).filter(|_| self.nth_code(nth, &[Kind::Reset]).is_none()) else {
            return Ok(());
        };
        let identifier = self.pool().account(who).name.clone();
        if self.pool().reset_mail(&identifier).is_none() {
            return Ok(());
        }
        self.perform(vec![Act::Forget { identifier }]).await
    }

    fn nth_person(&self, nth: usize) -> Option<usize> {
        let numbers: Vec<_> = self.pool().accounts.keys().copied().collect();
        nth_newest(&numbers, nth).copied()
    }

    /// Of the newest codes of these kinds the one in this place.
    fn nth_code(&self, nth: usize, kinds: &[Kind]) -> Option<codes::Code> {
        let of_kind: Vec<_> = self.pool().codes.iter().filter(|code| kinds.contains(&code.kind)).cloned().collect();
        nth_newest(&of_kind, nth).cloned()
    }

    /// Whose it is, and the code.
    fn code_for_address(&self, nth: usize) -> Option<(usize, codes::Code)> {
        let code = self.nth_code(nth, &[Kind::Further, Kind::Primary])?;
        Some((code.about.parse().expect("a number"), code))
    }

    /// A wish with what it takes now; `None` where there is nothing of the kind.
    fn act(&mut self, wish: &Wish) -> Option<Act> {
        let (name, email) = (|nth: usize| self.names[nth].clone(), |nth: usize| self.addresses[nth].clone());
        let text = |code: &codes::Code, wrong: bool| if wrong { WRONG.to_owned() } else { code.text.clone() };
        let token = |who: usize| self.pool().account(who).token.clone().map(|(token, _)| token);
        let id = |who: usize| self.pool().account(who).id.clone();
        // One that the account has, the further ones first, or else any.
        let own = |who: usize, nth: usize| {
            let all: Vec<_> = self.pool().account(who).addresses().map(|(address, _)| address.to_owned()).collect();
            all.iter().rev().nth(nth).cloned().unwrap_or_else(|| email(nth))
        };
        let number = self.numbers + 1;
        let password = format!("password-{number}");
        let act = match wish {
            Wish::Register { name: nth, email: at } => {
                // The same name in other letters is the same name.
                Act::Register { number, name: name(*nth).to_uppercase(), email: email(*at), password }
            }
            Wish::AskToRegister { name: nth, email: at } => {
                Act::AskToRegister { number, name: name(*nth), email: email(*at), password }
            }
            Wish::ProveRegistration { code, wrong } => {
                let code = self.nth_code(*code, &[Kind::Register])?;
                Act::ProveRegistration { name: code.about.clone(), code: text(&code, *wrong) }
            }
            Wish::AskForAddress { who, email: at, place } => {
                let who = self.nth_person(*who)?;
                Act::AskForAddress { who, token: token(who)?, email: email(*at), place: *place }
            }
            Wish::ProveAddress { code, wrong } => {
                let (who, code) = self.code_for_address(*code)?;
                let (email, place) = (code.address.clone(), code.kind);
                Act::ProveAddress { who, token: token(who)?, email, place, code: text(&code, *wrong) }
            }
            Wish::ChangeAddress { who, email: at } => {
                let who = self.nth_person(*who)?;
                Act::ChangeAddress { who, token: token(who)?, email: email(*at) }
            }
            Wish::Promote { who, email: at } => {
                let who = self.nth_person(*who)?;
                Act::Promote { who, token: token(who)?, email: own(who, *at) }
            }
            Wish::Remove { who, email: at } => {
                let who = self.nth_person(*who)?;
                Act::Remove { who, token: token(who)?, email: own(who, *at) }
            }
            Wish::Forget { who } => {
                let account = self.pool().account(self.nth_person(*who)?);
                let address = account.addresses().last().map(|(address, _)| address.to_owned());
                let by_address = self.numbers.is_multiple_of(2);
                Act::Forget { identifier: address.filter(|_| by_address).unwrap_or(account.name.clone()) }
            }
            Wish::Reset { code, wrong, again } => {
                let code = self.nth_code(*code, &[Kind::Reset])?;
                let account = self.pool().account(code.about.parse().expect("a number"));
                // The same once more, as where its answer was lost.
                let password = if *again { account.password.clone() } else { password };
                Act::Reset { identifier: account.name.clone(), code: text(&code, *wrong), password }
            }
            Wish::Rename { who, name: nth } => {
                let who = self.nth_person(*who)?;
                Act::Rename { who, id: id(who)?, name: name(*nth) }
            }
            Wish::SetAddress { who, email: at } => {
                let who = self.nth_person(*who)?;
                Act::SetAddress { who, id: id(who)?, email: at.map(email) }
            }
            Wish::Activate { who, active } => {
                let who = self.nth_person(*who)?;
                Act::Activate { who, id: id(who)?, active: *active }
            }
            Wish::Delete { name: nth } => Act::Delete { name: name(*nth) },
        };
        self.numbers = number;
        Some(act)
    }

    /// Does these at once, and keeps the pools that explain what came of it.
    async fn perform(&mut self, acts: Vec<Act>) -> Result<(), String> {
        if acts.is_empty() {
            return Ok(());
        }
        let seen = futures_util::future::join_all(acts.iter().map(|act| self.service.perform(act))).await;
        for (act, seen) in acts.iter().zip(&seen) {
            self.told.push_str(&format!("  {} ▶ {}\n", told(act), seen.status));
        }
        if acts.len() > 1 {
            self.told.push_str(&format!("  ({} at once)\n", acts.len()));
        }
        if seen.iter().any(|seen| seen.status == 503) {
            self.broken_off = true;
            return Ok(());
        }
        let mut letters = self.service.letters();
        letters.retain(|letter| self.addresses.contains(&letter.to));
        let arrived: Vec<_> = acts.iter().filter_map(|act| self.reset_mail_arrived(act, &letters)).collect();
        arrived.iter().for_each(|arrived| self.service.note_reset_mail(*arrived));
        if arrived.contains(&false) {
            self.broken_off = true;
            return Ok(());
        }
        let stored = self.stored().await;
        let (mut explained, mut why) = (Vec::new(), Vec::new());
        for pool in &self.possible {
            let pool = Pool { arrived: letters.clone(), ..pool.clone() };
            for order in orders(acts.len()) {
                match in_this_order(&pool, &acts, &seen, &order).and_then(|next| stored.agree(next)) {
                    Ok(next) if explained.contains(&next) => {}
                    Ok(next) => explained.push(next),
                    Err(reason) => why.push(format!("    in the order {order:?}: {reason}")),
                }
            }
        }
        if explained.is_empty() {
            why.truncate(6);
            let (told, why) = (&self.told, why.join("\n"));
            return Err(format!("what came of the last {} is not possible:\n{told}\n{why}", acts.len()));
        }
        self.possible = explained;
        Ok(())
    }

    /// "I forgot my password" is answered after less than a second, whatever became of the mail: a machine that is too
    /// busy doesn't get it out, and what is half done then is no subject here. `None`: no such mail was due.
    fn reset_mail_arrived(&self, act: &Act, letters: &[Letter]) -> Option<bool> {
        let Act::Forget { identifier } = act else { return None };
        let due = self.possible.iter().any(|pool| pool.reset_mail(identifier).is_some());
        due.then(|| letters.iter().any(|letter| letter.kind == Some(Kind::Reset)))
    }

    async fn stored(&self) -> Stored {
        let claims = self.service.claims(&self.names, &self.addresses).await;
        let ids = claims.values().map(|(id, _)| id.clone());
        let known = self.possible.iter().flat_map(|pool| pool.accounts.values().filter_map(|one| one.id.clone()));
        let mut accounts = BTreeMap::new();
        for id in ids.chain(known).collect::<BTreeSet<_>>() {
            let account = self.service.account(&id).await.map(|read| Shown::from(&read.account));
            accounts.insert(id, account);
        }
        Stored { claims, accounts }
    }
}

/// What is stored of the history's names, addresses and accounts.
struct Stored {
    claims: Claims,
    accounts: BTreeMap<String, Option<Shown>>,
}

/// An account as both sides show it.
#[derive(Debug, PartialEq)]
struct Shown {
    name: String,
    primary: Option<(String, bool)>,
    further: Vec<String>,
    active: bool,
}

impl From<&polygate_shared::identity::Account> for Shown {
    fn from(stored: &polygate_shared::identity::Account) -> Self {
        Self {
            name: stored.name.as_str().to_owned(),
            primary: stored.email.as_ref().map(|claim| (claim.address.as_str().to_owned(), claim.verified)),
            further: stored.secondary_emails.iter().map(|address| address.as_str().to_owned()).collect(),
            active: stored.active,
        }
    }
}

impl From<&Account> for Shown {
    fn from(account: &Account) -> Self {
        let Account { name, primary, further, active, .. } = account.clone();
        Self { name, primary, further, active }
    }
}

impl Stored {
    /// The pool, if it is what is stored; it learns the ids of accounts that were made.
    fn agree(&self, mut pool: Pool) -> Result<Pool, String> {
        if !pool.arrived.is_empty() {
            return Err(format!("nobody was to get {:?}", pool.arrived));
        }
        let mut expected = Claims::new();
        for account in pool.accounts.values_mut().filter(|account| !account.deleted) {
            let key = account.name.to_ascii_lowercase();
            let id =
                account.id.get_or_insert_with(|| self.claims.get(&key).map_or(String::new(), |(id, _)| id.clone()));
            expected.insert(key, (id.clone(), true));
            let addresses = account.addresses().map(|(address, proved)| (address.to_owned(), proved));
            let id = account.id.clone().unwrap_or_default();
            expected.extend(addresses.map(|(address, proved)| (address, (id.clone(), proved))));
        }
        if expected != self.claims {
            return Err(format!("claimed are {:?}, and not {expected:?}", self.claims));
        }
        for account in pool.accounts.values() {
            let Some(id) = &account.id else { continue };
            let shown = Some(Shown::from(account)).filter(|_| !account.deleted);
            let stored = self.accounts.get(id).and_then(Option::as_ref);
            if shown.as_ref() != stored {
                return Err(format!("stored is {stored:?}, and not {shown:?}"));
            }
        }
        Ok(pool.sorted())
    }
}

fn in_this_order(pool: &Pool, acts: &[Act], seen: &[Seen], order: &[usize]) -> Result<Pool, String> {
    let mut next = pool.clone();
    for nth in order {
        next.explain(&acts[*nth], &seen[*nth], pool)?;
    }
    Ok(next)
}

/// An act with the ends of its tokens.
fn told(act: &Act) -> String {
    let mut told = format!("{act:?}");
    for word in format!("{act:?}").split('"').filter(|word| word.len() > 60) {
        told = told.replace(word, &format!("…{}", &word[word.len() - 6..]));
    }
    told
}
