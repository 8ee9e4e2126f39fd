//! What is said of a setting that can't be used.

/// A setting that can't be used: one line that says which, why, and how to mend it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}={value} is not usable: {mend}")]
pub struct BadSetting {
    pub(super) variable: &'static str,
    pub(super) value: String,
    pub(super) mend: String,
}

impl BadSetting {
    /// The variable that sets it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}
