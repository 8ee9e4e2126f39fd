//! What is known of a person: all that was acknowledged.

/// One account and everything that its person was told is so.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) password: String,
    /// The live access token, and the refresh token beside it.
    pub(crate) session: String,
    pub(crate) refresh: String,
    pub(crate) bio: String,
    /// Where the uploaded picture is, "" without one.
    pub(crate) picture: String,
    pub(crate) coins: i64,
    /// API tokens: id and secret.
    pub(crate) tokens: Vec<(String, String)>,
    /// Access and API tokens that must be refused.
    pub(crate) dead: Vec<String>,
}

impl Person {
    /// Somebody who has just registered.
    pub(crate) fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), ..Self::default() }
    }

    pub(crate) fn email(name: &str) -> String {
        format!("{name}@example.com")
    }

    /// Another session takes the place of the one there was, which stays good.
    pub(crate) fn signed_in(&mut self, session: String, refresh: String) {
        (self.session, self.refresh) = (session, refresh);
    }
}

/// A request that was sent and not answered.
#[derive(Debug, Clone)]
pub(crate) enum Doubt {
    Register {
        name: String,
        password: String,
    },
    /// With the code that was mailed.
    Verify {
        name: String,
        password: String,
        code: String,
    },
    Refresh {
        who: usize,
    },
    Describe {
        who: usize,
        bio: String,
    },
    Draw {
        who: usize,
    },
    MakeToken {
        who: usize,
    },
    RevokeToken {
        who: usize,
        token: usize,
    },
    ChangePassword {
        who: usize,
        password: String,
    },
    Pay {
        who: usize,
        coins: i64,
        key: String,
    },
    SignOut {
        who: usize,
    },
    Delete {
        who: usize,
    },
    /// What nothing hangs on: a sign-in, a code that was asked for.
    Harmless,
}
