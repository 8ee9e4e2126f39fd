//! What people do with their own addresses, said again without a store.

use super::acts::Seen;
use super::codes::{Code, Guess};
use super::rules::{Explained, Kind, MISSING, OK, Pool, REFUSED, TAKEN, TOO_SOON, is};

impl Pool {
    pub(super) fn ask_for_address(&mut self, who: usize, email: &str, place: Kind, seen: &Seen) -> Explained {
        if !self.mails.may_go(email, place, self.now) {
            return is(seen, TOO_SOON);
        }
        is(seen, OK)?;
        self.mails.note(email, place, self.now);
        if self.holder(email).is_some_and(|(other, proved)| proved && other != who) {
            return self.letter(email, None).map(drop);
        }
        let text = self.letter(email, Some(place))?;
        let about = who.to_string();
        self.replace(Code::new(place, about, email, text, self.now));
        Ok(())
    }

    pub(super) fn prove_address(
        &mut self,
        who: usize,
        email: &str,
        place: Kind,
        code: &str,
        seen: &Seen,
        start: &Self,
    ) -> Explained {
        let about = who.to_string();
        let guess = Guess { kind: place, about: &about, address: Some(email), text: code };
        if !self.account(who).has_live_token() {
            self.doubt(&guess);
        }
        self.as_person(who, seen, start, |pool| {
            let Some(nth) = pool.guess(&guess, seen, start) else { return is(seen, REFUSED) };
            let account = pool.account(who);
            if pool.codes[nth].used_by.is_some() {
                let filled = match place {
                    Kind::Primary => account.primary == Some((email.to_owned(), true)),
                    Kind::Register | Kind::Reset | Kind::Further => account.has_proved(email),
                };
                return is(seen, if filled { OK } else { REFUSED });
            }
            if pool.holder(email).is_some_and(|(other, proved)| proved && other != who) {
                return is(seen, TAKEN);
            }
            if pool.holder(email).is_some_and(|(other, _)| other != who) {
                pool.dispossess(email);
            }
            pool.codes[nth].used_by = Some(who);
            pool.account_mut(who).fill(place, email);
            is(seen, OK)
        })
    }

    pub(super) fn change_address(&mut self, who: usize, email: &str, seen: &Seen) -> Explained {
        let account = self.account(who);
        match &account.primary {
            Some((own, _)) if own == email => return is(seen, OK),
            Some((_, true)) => return self.ask_for_address(who, email, Kind::Primary, seen),
            Some((_, false)) | None => {}
        }
        if self.holder(email).is_some_and(|(other, _)| other != who) {
            return is(seen, TAKEN);
        }
        let proved = account.has_proved(email);
        self.account_mut(who).set_primary(email, proved);
        is(seen, OK)
    }

    pub(super) fn promote(&mut self, who: usize, email: &str, seen: &Seen) -> Explained {
        let account = self.account_mut(who);
        if account.primary.as_ref().is_some_and(|(own, _)| own == email) {
            return is(seen, OK);
        }
        if !account.has(email) {
            return is(seen, MISSING);
        }
        let former = account.primary.take();
        account.set_primary(email, true);
        account.further.extend(former.filter(|(_, proved)| *proved).map(|(address, _)| address));
        is(seen, OK)
    }

    pub(super) fn remove(&mut self, who: usize, email: &str, seen: &Seen) -> Explained {
        let account = self.account_mut(who);
        if account.primary.as_ref().is_some_and(|(own, _)| own == email) {
            return is(seen, TAKEN);
        }
        if !account.has(email) {
            return is(seen, MISSING);
        }
        account.further.retain(|own| own != email);
        is(seen, OK)
    }
}
