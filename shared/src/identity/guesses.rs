//! Guesses at mailed codes. Each is counted before it is compared: by where it comes from, by what it is about, and at
//! the codes themselves.

use futures_util::future::{join, try_join, try_join_all};

use super::admission::network;
use super::{AttemptKey, Challenge, ChallengeKey, Code, Error, Identity, MOST_GUESSES, Result, Visitor};

/// How many codes a guess is counted at: parallel requests can exceed the bound on those that wait for one name.
const MOST_GUESSED_AT: usize = 50;

impl Identity {
    /// The stored code that a guess matches, among those that are meant. A right guess has those at it before forgotten,
    /// and takes itself back from what is counted of its source.
    pub(super) async fn guess_at(
        &self,
        key: &ChallengeKey,
        guess: &Code,
        visitor: &Visitor,
        is_meant: impl Fn(&Challenge) -> bool,
    ) -> Result<Option<Challenge>> {
        let about = AttemptKey::MailedCode(key.clone());
        let source = network(&visitor.source).map(AttemptKey::MailedCodesFrom);
        let counted = self.count_guess(&about, source.as_ref());
        let (mut stored, ()) = try_join(self.store.challenges(key), counted).await?;
        stored.retain(is_meant);
        let matching = self.matching_among(stored, guess).await?;
        if matching.is_some() {
            join(self.forget_attempts(&about), self.take_guess_back(source.as_ref())).await;
        }
        Ok(matching)
    }

    /// The source comes first: whoever guessed too much from theirs must not make the person wait any longer.
    async fn count_guess(&self, about: &AttemptKey, source: Option<&AttemptKey>) -> Result<()> {
        if let Some(source) = source {
            self.reserve_attempt(source).await?;
        }
        let counted = self.reserve_attempt(about).await;
        if counted.is_err() {
            self.take_guess_back(source).await;
        }
        counted
    }

    async fn take_guess_back(&self, source: Option<&AttemptKey>) {
        if let Some(source) = source {
            self.take_attempt_back(source).await;
        }
    }

    /// The one of these codes that a guess matches. Guesses are counted before they are compared, each against the
    /// code it could match, so that parallel ones don't slip past the limit.
    async fn matching_among(&self, stored: Vec<Challenge>, guess: &Code) -> Result<Option<Challenge>> {
        let now = self.now();
        let mut open: Vec<_> = stored.into_iter().filter(|challenge| challenge.is_open(now)).collect();
        open.sort_by_key(|challenge| std::cmp::Reverse(challenge.expires_at));
        open.truncate(MOST_GUESSED_AT);
        let counted = open.into_iter().map(|challenge| async move {
            let counted = self.store.reserve_guess(&challenge, MOST_GUESSES).await?;
            Ok::<_, Error>(counted.then_some(challenge))
        });
        let counted = try_join_all(counted).await?;
        Ok(counted.into_iter().flatten().find(|challenge| challenge.matches(guess)))
    }
}
