//! Mixed work by one client, one request after the other, until the server is gone.

use std::io::Cursor;

use reqwest::Method;
use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::people::{Doubt, Person};
use crate::server::{Address, Answer, By, Gone};

/// More living accounts than this and one of them is deleted.
const MOST_PEOPLE: usize = 4;

/// Works until there is no answer any more; what was asked last is in doubt then.
pub(crate) async fn until_it_is_gone(mut ledger: Ledger, server: Address) -> Ledger {
    while step(&mut ledger, &server).await.is_ok() {
        ledger.doubt = None;
    }
    ledger.doubts += usize::from(ledger.doubt.is_some());
    ledger
}

/// A write that must be answered so: counted, once it is.
async fn write(
    ledger: &mut Ledger,
    doubt: Doubt,
    expected: u16,
    asked: impl Future<Output = Result<Answer, Gone>>,
) -> Result<Answer, Gone> {
    ledger.doubt = Some(doubt);
    let answer = asked.await?;
    assert_eq!(answer.status, expected, "{:?}: {}", ledger.doubt, answer.body);
    ledger.doubt = None;
    ledger.acknowledge();
    Ok(answer)
}

async fn step(ledger: &mut Ledger, server: &Address) -> Result<(), Gone> {
    if ledger.people.is_empty() {
        return register(ledger, server).await;
    }
    let who = ledger.chance.usize(..ledger.people.len());
    if ledger.people[who].session.is_empty() {
        return sign_in(ledger, server, who).await;
    }
    match ledger.chance.u8(..12) {
        0 if ledger.people.len() > MOST_PEOPLE => delete(ledger, server, who).await,
        0 => register(ledger, server).await,
        1 if ledger.people.len() <= MOST_PEOPLE => register_by_mail(ledger, server).await,
        1 | 2 => sign_in(ledger, server, who).await,
        3 => refresh(ledger, server, who).await,
        4 | 5 => describe(ledger, server, who).await,
        6 => draw(ledger, server, who).await,
        7 => make_token(ledger, server, who).await,
        8 => revoke_token(ledger, server, who).await,
        9 => change_password(ledger, server, who).await,
        10 => sign_out(ledger, server, who).await,
        _ => pay(ledger, server, who).await,
    }
}

pub(crate) fn registration(name: &str, password: &str) -> Value {
    json!({"username": name, "email": Person::email(name), "password": password})
}

async fn register(ledger: &mut Ledger, server: &Address) -> Result<(), Gone> {
    let (name, password) = (ledger.new_name(), ledger.new_text());
    let body = Some(registration(&name, &password));
    let asked = server.ask(Method::POST, "/kite/api/v1/auth/register", By::Anybody, body);
    let doubt = Doubt::Register { name: name.clone(), password: password.clone() };
    write(ledger, doubt, 201, asked).await?;
    ledger.people.push(Person::new(&name, &password));
    sign_in(ledger, server, ledger.people.len() - 1).await
}

async fn register_by_mail(ledger: &mut Ledger, server: &Address) -> Result<(), Gone> {
    let (name, password) = (ledger.new_name(), ledger.new_text());
    let email = Person::email(&name);
    let body = json!({"account": name, "password": password, "username": "", "email": email});
    let asked = server.ask(Method::POST, "/sproutgate/api/auth/register", By::Anybody, Some(body));
    write(ledger, Doubt::Harmless, 200, asked).await?;
    ledger.doubt = Some(Doubt::Harmless);
    let mails = server.ask(Method::GET, "/_local/mail.json", By::Anybody, None).await?.body;
    let mine = |mail: &&Value| mail["to"][0] == json!(email);
    let mail = mails.as_array().and_then(|mails| mails.iter().find(mine)).expect("the mail that was acknowledged");
    let subject = mail["subject"].as_str().expect("a subject");
    let code = subject[subject.len() - 6..].to_owned();
    let asked = server.ask(Method::POST, VERIFY, By::Anybody, Some(proof(&name, &code)));
    let doubt = Doubt::Verify { name: name.clone(), password: password.clone(), code: code.clone() };
    write(ledger, doubt, 200, asked).await?;
    ledger.people.push(Person::new(&name, &password));
    sign_in(ledger, server, ledger.people.len() - 1).await
}

pub(crate) const VERIFY: &str = "/sproutgate/api/auth/verify-email";

pub(crate) fn proof(name: &str, code: &str) -> Value {
    json!({"account": name, "code": code})
}

pub(crate) fn credentials(name: &str, password: &str) -> Value {
    json!({"username": name, "password": password})
}

pub(crate) const LOGIN: &str = "/kite/api/v1/auth/login";
pub(crate) const REFRESH: &str = "/kite/api/v1/auth/refresh";
pub(crate) const DESCRIBE: &str = "/sproutgate/api/auth/profile";
pub(crate) const TOKENS: &str = "/kite/api/v1/tokens";
pub(crate) const USAGE: &str = "/kite/api/v1/admin/usage";
pub(crate) const LOGOUT: &str = "/kite/api/v1/auth/logout";

async fn sign_in(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let person = &ledger.people[who];
    let body = credentials(&person.name, &person.password);
    ledger.doubt = Some(Doubt::Harmless);
    let answer = server.ask(Method::POST, LOGIN, By::Anybody, Some(body)).await?;
    ledger.doubt = None;
    // Attempts that were cut off stay counted, so that after some of them there is a wait.
    if answer.status == 429 {
        return Ok(());
    }
    assert_eq!(answer.status, 200, "{}: {}", ledger.people[who].name, answer.body);
    ledger.acknowledge();
    ledger.people[who].signed_in(answer.text("/data/access_token"), answer.text("/data/refresh_token"));
    Ok(())
}

async fn refresh(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let body = json!({"refresh_token": ledger.people[who].refresh});
    let asked = server.ask(Method::POST, REFRESH, By::Anybody, Some(body));
    let answer = write(ledger, Doubt::Refresh { who }, 200, asked).await?;
    ledger.people[who].signed_in(answer.text("/data/access_token"), answer.text("/data/refresh_token"));
    Ok(())
}

async fn describe(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let (session, bio) = (ledger.people[who].session.clone(), ledger.new_text());
    let asked = server.ask(Method::PUT, DESCRIBE, By::Bearer(&session), Some(json!({"bio": bio})));
    write(ledger, Doubt::Describe { who, bio: bio.clone() }, 200, asked).await?;
    ledger.people[who].bio = bio;
    Ok(())
}

async fn draw(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let session = ledger.people[who].session.clone();
    let colour = image::Rgb([ledger.chance.u8(..), ledger.chance.u8(..), ledger.chance.u8(..)]);
    let mut file = Vec::new();
    let picture = image::RgbImage::from_pixel(16, 16, colour);
    picture.write_to(&mut Cursor::new(&mut file), image::ImageFormat::Png).expect("a PNG");
    let asked = server.upload("/zeaya/api/auth/avatar", By::Bearer(&session), file);
    let answer = write(ledger, Doubt::Draw { who }, 200, asked).await?;
    ledger.people[who].picture = answer.text("/data/avatar");
    Ok(())
}

async fn make_token(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let session = ledger.people[who].session.clone();
    if ledger.people[who].tokens.len() > 5 {
        return Ok(());
    }
    let asked = server.ask(Method::POST, TOKENS, By::Bearer(&session), Some(json!({"name": "backup"})));
    let answer = write(ledger, Doubt::MakeToken { who }, 201, asked).await?;
    ledger.people[who].tokens.push((answer.text("/data/id"), answer.text("/data/token")));
    Ok(())
}

async fn revoke_token(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let session = ledger.people[who].session.clone();
    if ledger.people[who].tokens.is_empty() {
        return make_token(ledger, server, who).await;
    }
    let token = ledger.chance.usize(..ledger.people[who].tokens.len());
    let path = format!("{TOKENS}/{}", ledger.people[who].tokens[token].0);
    let asked = server.ask(Method::DELETE, &path, By::Bearer(&session), None);
    write(ledger, Doubt::RevokeToken { who, token }, 200, asked).await?;
    ledger.revoked(who, token);
    Ok(())
}

async fn change_password(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let (session, password) = (ledger.people[who].session.clone(), ledger.new_text());
    let body = json!({"old_password": ledger.people[who].password, "new_password": password});
    let asked = server.ask(Method::POST, "/kite/api/v1/auth/change-password", By::Bearer(&session), Some(body));
    ledger.doubt = Some(Doubt::ChangePassword { who, password: password.clone() });
    let answer = asked.await?;
    // The present one was asked for too often by those that were cut off.
    if answer.status == 429 {
        return Ok(());
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    ledger.acknowledge();
    ledger.people[who].password = password;
    sign_in(ledger, server, who).await
}

async fn sign_out(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let session = ledger.people[who].session.clone();
    let asked = server.ask(Method::POST, LOGOUT, By::Bearer(&session), Some(json!({})));
    write(ledger, Doubt::SignOut { who }, 200, asked).await?;
    ledger.signed_out(who);
    Ok(())
}

pub(crate) fn payment(name: &str, coins: i64) -> Value {
    json!({"changes": [{"username": name, "add": {"coins": coins}}]})
}

async fn pay(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let (coins, key) = (ledger.chance.i64(1..1000), ledger.new_text());
    let body = payment(&ledger.people[who].name, coins);
    let asked = server.ask(Method::POST, USAGE, By::Administrator(&key), Some(body));
    write(ledger, Doubt::Pay { who, coins, key: key.clone() }, 200, asked).await?;
    ledger.people[who].coins += coins;
    Ok(())
}

async fn delete(ledger: &mut Ledger, server: &Address, who: usize) -> Result<(), Gone> {
    let path = format!("/sproutgate/api/admin/users/{}", ledger.people[who].name);
    let asked = server.ask(Method::DELETE, &path, By::Administrator(""), None);
    write(ledger, Doubt::Delete { who }, 200, asked).await?;
    ledger.deleted(who);
    Ok(())
}
