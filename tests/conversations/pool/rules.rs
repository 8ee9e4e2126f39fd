//! What holds of accounts, names, addresses and codes, said again without a store.

use std::collections::BTreeMap;

use super::acts::{Act, Letter, Seen};
use super::codes::{Code, Guess, Mails};

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Register,
    Reset,
    /// A further address.
    Further,
    /// Another primary one.
    Primary,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    /// Known once somebody looked who has the name.
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) password: String,
    /// The primary address, and whether it is proved.
    pub(super) primary: Option<(String, bool)>,
    pub(super) further: Vec<String>,
    pub(super) active: bool,
    pub(super) deleted: bool,
    /// Counts what ends all sessions.
    pub(super) generation: u32,
    pub(super) token: Option<(String, u32)>,
}

impl Account {
    fn new(name: &str, password: &str, primary: (String, bool)) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            password: password.to_owned(),
            primary: Some(primary),
            further: Vec::new(),
            active: true,
            deleted: false,
            generation: 0,
            token: None,
        }
    }

    /// Each address with whether it is proved.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&str, bool)> {
        let primary = self.primary.iter().map(|(address, proved)| (address.as_str(), *proved));
        primary.chain(self.further.iter().map(|address| (address.as_str(), true)))
    }

    pub(super) fn has(&self, address: &str) -> bool {
        self.addresses().any(|(own, _)| own == address)
    }

    pub(super) fn has_proved(&self, address: &str) -> bool {
        self.addresses().any(|own| own == (address, true))
    }

    pub(super) fn has_live_token(&self) -> bool {
        let same = self.token.as_ref().is_some_and(|(_, generation)| *generation == self.generation);
        same && self.active && !self.deleted
    }

    pub(super) fn set_primary(&mut self, address: &str, proved: bool) {
        self.further.retain(|own| own != address);
        self.primary = Some((address.to_owned(), proved));
    }

    /// With an address whose code came back.
    pub(super) fn fill(&mut self, place: Kind, address: &str) {
        match place {
            Kind::Primary => self.set_primary(address, true),
            Kind::Register | Kind::Reset | Kind::Further => {
                if !self.has(address) {
                    self.further.push(address.to_owned());
                }
                if let Some((_, proved)) = self.primary.as_mut().filter(|(own, _)| own == address) {
                    *proved = true;
                }
            }
        }
    }
}

/// The pool as it must be, by all that was answered so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pool {
    /// Seconds since the epoch.
    pub(super) now: i64,
    /// By the number of the request that asked for them. Those that were deleted stay.
    pub(super) accounts: BTreeMap<usize, Account>,
    pub(super) codes: Vec<Code>,
    pub(super) mails: Mails,
    /// What arrived in this step and isn't explained yet.
    pub(super) arrived: Vec<Letter>,
}

pub(super) const OK: u16 = 200;
pub(super) const REFUSED: u16 = 400;
const ENDED: u16 = 401;
pub(super) const MISSING: u16 = 404;
pub(super) const TAKEN: u16 = 409;
pub(super) const TOO_SOON: u16 = 429;

pub(super) type Explained = Result<(), String>;

impl Pool {
    /// Whether this is what must have been answered, and what is so afterwards. `start` is how it was when what is sent in
    /// the same instant was sent.
    pub(super) fn explain(&mut self, act: &Act, seen: &Seen, start: &Self) -> Explained {
        match act {
            Act::SignIn { who, .. } => {
                is(seen, OK)?;
                let account = self.account_mut(*who);
                account.token = Some((seen.text("/token")?, account.generation));
                Ok(())
            }
            Act::Register { number, name, email, password } => {
                if self.named(name).is_some() || self.holder(email).is_some() {
                    return is(seen, TAKEN);
                }
                self.accounts.insert(*number, Account::new(name, password, (email.clone(), false)));
                is(seen, 201)
            }
            Act::AskToRegister { number, name, email, password } => {
                self.ask_to_register(*number, (name, password), email, seen)
            }
            Act::ProveRegistration { name, code } => self.prove_registration(name, code, seen, start),
            Act::AskForAddress { who, email, place, .. } => {
                self.as_person(*who, seen, start, |pool| pool.ask_for_address(*who, email, *place, seen))
            }
            Act::ProveAddress { who, email, place, code, .. } => {
                self.prove_address(*who, email, *place, code, seen, start)
            }
            Act::ChangeAddress { who, email, .. } => {
                self.as_person(*who, seen, start, |pool| pool.change_address(*who, email, seen))
            }
            Act::Promote { who, email, .. } => {
                self.as_person(*who, seen, start, |pool| pool.promote(*who, email, seen))
            }
            Act::Remove { who, email, .. } => self.as_person(*who, seen, start, |pool| pool.remove(*who, email, seen)),
            Act::Forget { identifier } => {
                is(seen, OK)?;
                self.forget(identifier)
            }
            Act::Reset { identifier, code, password } => self.reset(identifier, code, password, seen, start),
            Act::Rename { who, name, .. } => {
                if self.account(*who).deleted {
                    return is(seen, MISSING);
                }
                if self.named(name).is_some_and(|other| other != *who) {
                    return is(seen, TAKEN);
                }
                self.account_mut(*who).name.clone_from(name);
                is(seen, OK)
            }
            Act::SetAddress { who, email, .. } => self.set_address(*who, email.as_deref(), seen),
            Act::Activate { who, active, .. } => {
                let account = self.account_mut(*who);
                if account.deleted {
                    return is(seen, MISSING);
                }
                account.generation += u32::from(account.active && !active);
                account.active = *active;
                is(seen, OK)
            }
            Act::Delete { name } => {
                // Whom the name means is found out once: who is renamed right then is deleted all the same.
                let before = start.named(name).filter(|who| is(seen, OK).is_ok() && !self.account(*who).deleted);
                let Some(who) = self.named(name).or(before) else { return is(seen, MISSING) };
                self.account_mut(who).deleted = true;
                is(seen, OK)
            }
        }
    }

    pub(super) fn account(&self, who: usize) -> &Account {
        &self.accounts[&who]
    }

    pub(super) fn account_mut(&mut self, who: usize) -> &mut Account {
        self.accounts.get_mut(&who).expect("an account")
    }

    pub(super) fn living(&self) -> impl Iterator<Item = (usize, &Account)> {
        self.accounts.iter().filter(|(_, account)| !account.deleted).map(|(who, account)| (*who, account))
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        let mut living = self.living();
        living.find(|(_, account)| account.name.eq_ignore_ascii_case(name)).map(|(who, _)| who)
    }

    /// Who has an address, and whether it is proved.
    pub(super) fn holder(&self, email: &str) -> Option<(usize, bool)> {
        let mut claims = self.living().flat_map(|(who, account)| account.addresses().map(move |claim| (who, claim)));
        claims.find(|(_, (address, _))| *address == email).map(|(who, (_, proved))| (who, proved))
    }

    fn owner(&self, identifier: &str) -> Option<usize> {
        self.holder(identifier).map(|(who, _)| who).or_else(|| self.named(identifier))
    }

    /// Somebody proved it: whoever had it without proof loses it, and all sessions.
    pub(super) fn dispossess(&mut self, email: &str) {
        if let Some((loser, false)) = self.holder(email) {
            let loser = self.account_mut(loser);
            loser.primary = None;
            loser.generation += 1;
        }
    }

    /// Whoever was let in and is locked out in the same instant is refused, now or a moment later.
    pub(super) fn as_person(
        &mut self,
        who: usize,
        seen: &Seen,
        start: &Self,
        act: impl FnOnce(&mut Self) -> Explained,
    ) -> Explained {
        if self.account(who).has_live_token() {
            return act(self);
        }
        let was_let_in = start.account(who).has_live_token();
        let too_late = was_let_in && matches!(seen.status, ENDED | MISSING);
        if too_late { Ok(()) } else { is(seen, ENDED) }
    }

    fn ask_to_register(
        &mut self,
        number: usize,
        (name, password): (&str, &str),
        email: &str,
        seen: &Seen,
    ) -> Explained {
        if self.named(name).is_some() {
            return is(seen, TAKEN);
        }
        let of_name = |code: &&Code| code.kind == Kind::Register && code.about.eq_ignore_ascii_case(name);
        let waiting = self.codes.iter().filter(of_name).filter(|code| code.is_open(self.now)).count();
        if !self.mails.may_go(email, Kind::Register, self.now) || waiting >= super::codes::MOST_PENDING {
            return is(seen, TOO_SOON);
        }
        is(seen, OK)?;
        self.mails.note(email, Kind::Register, self.now);
        if self.holder(email).is_some_and(|(_, proved)| proved) {
            return self.letter(email, None).map(drop);
        }
        let text = self.letter(email, Some(Kind::Register))?;
        let pending = Some((number, name.to_owned(), password.to_owned()));
        let mut code = Code::new(Kind::Register, name.to_ascii_lowercase(), email, text, self.now);
        code.pending = pending;
        self.codes.push(code);
        Ok(())
    }

    fn prove_registration(&mut self, name: &str, code: &str, seen: &Seen, start: &Self) -> Explained {
        let about = name.to_ascii_lowercase();
        let guess = Guess { kind: Kind::Register, about: &about, address: None, text: code };
        let Some(nth) = self.guess(&guess, seen, start) else { return is(seen, REFUSED) };
        if let Some(made) = self.codes[nth].used_by {
            return is(seen, if self.account(made).deleted { REFUSED } else { OK });
        }
        let Code { address, pending, .. } = self.codes[nth].clone();
        let (number, name, password) = pending.ok_or("a code for nothing")?;
        if self.named(&name).is_some() || self.holder(&address).is_some_and(|(_, proved)| proved) {
            return is(seen, TAKEN);
        }
        self.dispossess(&address);
        self.codes[nth].used_by = Some(number);
        self.accounts.insert(number, Account::new(&name, &password, (address, true)));
        is(seen, OK)
    }

    fn set_address(&mut self, who: usize, email: Option<&str>, seen: &Seen) -> Explained {
        if self.account(who).deleted {
            return is(seen, MISSING);
        }
        let Some(email) = email else {
            self.account_mut(who).primary = None;
            return is(seen, OK);
        };
        if self.holder(email).is_some_and(|(other, _)| other != who) {
            return is(seen, TAKEN);
        }
        let account = self.account_mut(who);
        // The administrator's word is the proof of one that it hadn't.
        let proved = !account.has(email) || account.has_proved(email);
        account.set_primary(email, proved);
        is(seen, OK)
    }

    /// To whom and where a code goes for who forgot the password, if it goes anywhere.
    pub(super) fn reset_mail(&self, identifier: &str) -> Option<(usize, String)> {
        let who = self.owner(identifier).filter(|who| self.account(*who).active)?;
        let account = self.account(who);
        let primary = account.primary.as_ref().map(|(address, _)| address.clone());
        let email = Some(identifier.to_owned()).filter(|one| account.has(one)).or(primary)?;
        self.mails.may_go(&email, Kind::Reset, self.now).then_some((who, email))
    }

    fn forget(&mut self, identifier: &str) -> Explained {
        let Some((who, email)) = self.reset_mail(identifier) else { return Ok(()) };
        self.mails.note(&email, Kind::Reset, self.now);
        let (text, generation) = (self.letter(&email, Some(Kind::Reset))?, self.account(who).generation);
        let mut code = Code::new(Kind::Reset, who.to_string(), &email, text, self.now);
        code.generation = generation;
        self.replace(code);
        Ok(())
    }

    fn reset(&mut self, identifier: &str, code: &str, password: &str, seen: &Seen, start: &Self) -> Explained {
        let Some(who) = self.owner(identifier) else { return is(seen, REFUSED) };
        let guess = Guess { kind: Kind::Reset, about: &who.to_string(), address: None, text: code };
        let Some(nth) = self.guess(&guess, seen, start) else { return is(seen, REFUSED) };
        let Code { address, generation, used_by, .. } = self.codes[nth].clone();
        let account = self.account(who);
        if used_by.is_some() {
            return is(seen, if account.password == password { OK } else { REFUSED });
        }
        if !account.has(&address) || !account.active || account.generation != generation {
            return is(seen, REFUSED);
        }
        self.codes[nth].used_by = Some(who);
        let account = self.account_mut(who);
        password.clone_into(&mut account.password);
        account.generation += 1;
        // For the first time it may have been somebody else who made the account with it.
        if let Some((own, proved @ false)) = &mut account.primary
            && *own == address
        {
            *proved = true;
            account.further.clear();
        }
        is(seen, OK)
    }
}

pub(super) fn is(seen: &Seen, status: u16) -> Explained {
    if seen.status == status {
        Ok(())
    } else {
        Err(format!("{status} was due, and {} {} came", seen.status, seen.body))
    }
}
