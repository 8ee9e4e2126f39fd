//! What the audit trail tells of attempts that were refused.
//!
//! Only those are recorded that were counted before they were looked at. Those that came too soon are not: the limits on
//! attempts bound what strangers can have written, to a hundred or so events a day for each name and each source
//! (`attempts.rs`), and they are forgotten sooner than others. A name that nobody has is not told, since it may be a
//! password in the wrong field; that costs the same write, so that the time doesn't tell either.

use super::audit::{Action, Origin, Outcome};
use super::{Account, Error, Identity, Result};

/// Which secret a refusal says was wrong, as events name it.
fn wrong_of(refusal: &Error) -> Option<&'static str> {
    let password = matches!(refusal, Error::WrongCredentials | Error::CurrentPasswordWrong);
    let code = matches!(refusal, Error::CodeWrong | Error::SecondFactorWrong);
    if password { Some("password") } else { code.then_some("code") }
}

impl Identity {
    /// Passes on what came of an attempt that was counted, and records it where it was refused for a wrong secret.
    pub(super) async fn note_refusal<T>(
        &self,
        origin: &Origin,
        subject: Option<&Account>,
        action: Action,
        outcome: Result<T>,
    ) -> Result<T> {
        if let Err(refusal) = &outcome
            && let Some(wrong) = wrong_of(refusal)
        {
            self.record_refusal(origin, subject, action, wrong).await;
        }
        outcome
    }

    /// The refusal stands whether it can be recorded or not.
    async fn record_refusal(&self, origin: &Origin, subject: Option<&Account>, action: Action, wrong: &str) {
        let recorded = async {
            let changes = self.record_as(Outcome::Refused, origin, subject, [(action, wrong.to_owned())])?;
            self.commit(&changes).await
        };
        if let Err(failed) = recorded.await {
            tracing::warn!(cause = %failed, "a refused attempt was not recorded");
        }
    }
}
