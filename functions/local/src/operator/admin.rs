//! `polygate admin`: the way back for administrators who can't sign in.

use std::io::{self, BufRead as _};
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use polygate_shared::identity::{Account, Chance as _, Error, Identity, Password, Problem, Restoration, SystemChance};

use super::place::Pool;
use super::{Done, Failed, print, told};
use crate::command::ResetPassword;

/// The lengths that every contract takes.
const LENGTHS: RangeInclusive<usize> = 6..=64;

pub(super) async fn reset_password(how: ResetPassword) -> Done {
    let given = if how.password_stdin { Some(typed()?) } else { None };
    let pool = Pool::open(&how.place).await?;
    let reset = reset(&pool.identity().await?, &how, given.as_ref()).await;
    pool.close().await;
    let (account, made) = reset?;
    let shown = made.map(|made| format!("password: {}\n", made.reveal())).unwrap_or_default();
    let due = match account.must_change_password {
        true => "At its first sign-in it has to choose a name, an address and a password of its own.\n",
        false => "",
    };
    print(&format!("{} has a new password; its sessions and API tokens are over.\n{shown}{due}", account.name.as_str()))
}

async fn reset(
    identity: &Identity,
    how: &ResetPassword,
    given: Option<&Password>,
) -> Result<(Account, Option<Password>), Failed> {
    let made = if given.is_none() { Some(random()?) } else { None };
    let Some(password) = given.or(made.as_ref()) else { return Err(told("no password")) };
    check(identity, password)?;
    let restoration = Restoration { reinstate: how.reinstate, drop_second_factor: how.drop_second_factor };
    let name = &how.name;
    match identity.restore_administrator(name, password, restoration).await {
        Ok(account) => Ok((account, made)),
        Err(Error::NotFound) => Err(told(format!(
            "nobody is called {name}: name an administrator, or make the account admin with \
             `polygate admin reset-password admin --reinstate`"
        ))),
        Err(Error::NotAdministrator) => {
            Err(told(format!("{name} is no active administrator: --reinstate makes it one")))
        }
        Err(other) => Err(other.into()),
    }
}

/// The first line of standard input.
fn typed() -> Result<Password, Failed> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(Password::new(line.trim_end_matches(['\r', '\n'])))
}

/// 120 random bits in 20 characters, which every contract takes.
fn random() -> anyhow::Result<Password> {
    let mut bytes = [0; 15];
    SystemChance::default().fill(&mut bytes)?;
    Ok(Password::new(URL_SAFE_NO_PAD.encode(bytes)))
}

fn check(identity: &Identity, password: &Password) -> Result<(), Failed> {
    identity.password_policy().check(password, &LENGTHS).map_err(|problem| match problem {
        Problem::TooShort(least) => told(format!("the password needs {least} characters at least")),
        Problem::TooLong(most) => told(format!("the password may have {most} characters at most")),
        Problem::TooCommon => told("the password is one that many people have: choose another"),
        Problem::Missing
        | Problem::WrongType(_)
        | Problem::TooMany(_)
        | Problem::NotAnEmail
        | Problem::NotAName
        | Problem::NotAUrl
        | Problem::NotADate
        | Problem::NotACursor
        | Problem::NotOneOf(_)
        | Problem::OutOfRange(..) => told("the password can't be used"),
    })
}
