//! What the development server says when it is ready: where everything is, and what to try next.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use polygate_shared::http::Contract;
use polygate_shared::identity::{ClaimKind, Store, canonical};

use crate::server::{FIRST_PASSWORD, Server};

/// The name of the first administrator.
const ADMINISTRATOR: &str = "admin";
/// What the examples call the first administrator from its first-login reset on.
const NEW_ADMINISTRATOR: &str = "boss";
/// The person of the examples.
const PERSON: &str = "anna";

impl Server {
    /// The text for whoever started it.
    pub async fn guide(&self) -> String {
        let store = self.store().as_ref();
        let administrator = administrator(store).await;
        let settings = store.runtime_settings().await.unwrap_or_default();
        let facts = Facts {
            base_url: self.base_url(),
            dynamodb_url: &self.dynamodb_url(),
            folder: &absolute(self.folder()),
            admin_token: &absolute(&self.admin_token_file()),
            lambda_env: &absolute(&self.lambda_env()),
            keeps_accounts: self.keeps_accounts(),
            accounts: store.count_accounts().await.unwrap_or_default(),
            administrator,
            registration: self.identity().allows_registration(&settings),
            new_administrator: &unused_name(store, NEW_ADMINISTRATOR).await,
            person: &unused_name(store, PERSON).await,
        };
        facts.render()
    }
}

/// What became of the first administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Administrator {
    /// It still has the password that everybody knows, and can do nothing but its first-login reset.
    ResetDue,
    /// It did its reset and kept its name.
    KeptName,
    /// It did its reset and goes by a name of its own choice.
    Renamed,
}

/// What the text depends on.
struct Facts<'a> {
    base_url: &'a str,
    dynamodb_url: &'a str,
    folder: &'a Path,
    admin_token: &'a Path,
    lambda_env: &'a Path,
    keeps_accounts: bool,
    accounts: u64,
    /// `None` where the store could not tell.
    administrator: Option<Administrator>,
    registration: bool,
    new_administrator: &'a str,
    person: &'a str,
}

impl Facts<'_> {
    fn render(&self) -> String {
        let Self { base_url, accounts, .. } = self;
        let mut text = format!("Polygate {} is ready; Ctrl-C stops it.\n\n", env!("CARGO_PKG_VERSION"));
        for contract in Contract::ALL {
            line(&mut text, contract.name(), &format!("{base_url}/{}", contract.name()));
        }
        text.push('\n');
        if let Some(administrator) = self.administrator {
            line(&mut text, "administrator", &told(administrator));
        }
        let file = self.admin_token.display();
        line(&mut text, "admin token", &format!("in {file}: lets programs administer, in the header X-Admin-Token"));
        line(&mut text, "try calls", &format!("{base_url}/_local/api (OpenAPI documents of each contract)"));
        line(&mut text, "mails", &format!("{base_url}/_local/mail (for programs {base_url}/_local/mail.json)"));
        let data = match self.keeps_accounts {
            true => format!("in {}, kept when the server stops; accounts so far: {accounts}", self.folder.display()),
            false => "in memory only, gone when the server stops".to_owned(),
        };
        line(&mut text, "data", &data);
        line(&mut text, "store engine", &format!("{}, open to anything on this machine", self.dynamodb_url));
        let _ = write!(
            text,
            "\nTry next, in another terminal; the lines after these two need them:\n\n  \
             B={base_url}\n  J='Content-Type: application/json'\n"
        );
        text.push_str(&self.reset());
        text.push_str(&self.examples());
        let _ = write!(
            text,
            "\nThe same as five Lambda functions, on the same data (cargo-lambda, in another terminal):\n\n  \
             cargo lambda watch -A 127.0.0.1 -P 9010 --env-file {}\n\n",
            quoted(self.lambda_env)
        );
        text
    }

    /// Lines that do the first-login reset, while it is due.
    fn reset(&self) -> String {
        match self.administrator {
            Some(Administrator::ResetDue) => {}
            Some(Administrator::KeptName | Administrator::Renamed) | None => return String::new(),
        }
        let name = self.new_administrator;
        format!(
            r#"
Make the first administrator yours, with a name, an address and a password of your choice:

  ADMIN=$(curl -s $B/kite/api/v1/auth/login -H "$J" -d '{{"username":"{ADMINISTRATOR}","password":"{FIRST_PASSWORD}"}}' |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -sw '\n' $B/kite/api/v1/auth/first-login-reset -H "$J" -H "Authorization: Bearer $ADMIN" \
    -d '{{"username":"{name}","email":"{name}@example.com","password":"a-password-of-your-own"}}'
"#
        )
    }

    /// Lines for a shell with curl, grep and sed.
    fn examples(&self) -> String {
        let Self { person, .. } = self;
        let token_file = quoted(self.admin_token);
        if !self.registration {
            return format!(
                "\nList the accounts as a program (nobody can register, since ALLOW_REGISTRATION=false):\n\n  \
                 curl -sw '\\n' $B/sproutgate/api/admin/users -H \"X-Admin-Token: $(cat {token_file})\"\n"
            );
        }
        format!(
            r#"
Register at sproutgate, prove the address by the mailed code, sign in at kite, use that token at zeaya,
and list the accounts as a program:

  curl -sw '\n' $B/sproutgate/api/auth/register -H "$J" \
    -d '{{"account":"{person}","password":"swordfish","username":"Anna","email":"{person}@example.com"}}'
  CODE=$(curl -s $B/_local/mail.json | grep -oE '[0-9]{{6}}' | head -1)
  curl -sw '\n' $B/sproutgate/api/auth/verify-email -H "$J" -d '{{"account":"{person}","code":"'$CODE'"}}'
  TOKEN=$(curl -s $B/kite/api/v1/auth/login -H "$J" -d '{{"username":"{person}","password":"swordfish"}}' |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -sw '\n' $B/zeaya/api/auth/user -H "Authorization: Bearer $TOKEN"
  curl -sw '\n' $B/sproutgate/api/admin/users -H "X-Admin-Token: $(cat {token_file})"
"#
        )
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing into a string can't fail.
    let _ = writeln!(text, "  {name:<15}{value}");
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn told(administrator: Administrator) -> String {
    match administrator {
        Administrator::ResetDue => {
            format!("{ADMINISTRATOR}, password {FIRST_PASSWORD}: must do its first-login reset before anything else")
        }
        Administrator::KeptName => format!("{ADMINISTRATOR}, with the password it chose in its first-login reset"),
        Administrator::Renamed => {
            format!("no longer {ADMINISTRATOR}: it chose its own name and password in its first-login reset")
        }
    }
}

/// A path that is good in any directory; as given where the system can't tell the current one.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What became of the first administrator, if the store can tell. Nobody else can take its name.
async fn administrator(store: &dyn Store) -> Option<Administrator> {
    let claims = store.claims(&[(ClaimKind::Name, canonical(ADMINISTRATOR))]).await.ok()?;
    let Some(claim) = claims.first() else { return Some(Administrator::Renamed) };
    let found = store.account(claim.account).await.ok()??;
    Some(if found.account.must_change_password { Administrator::ResetDue } else { Administrator::KeptName })
}

/// A name for the examples that nobody has, with its address: after a restart with a number, so that the lines work
/// again as printed.
async fn unused_name(store: &dyn Store, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    for number in 2..100 {
        let keys = [(ClaimKind::Name, canonical(&name)), (ClaimKind::Email, canonical(&format!("{name}@example.com")))];
        // The name doesn't matter enough to fail for.
        let Ok(claims) = store.claims(&keys).await else { break };
        if claims.is_empty() {
            break;
        }
        name = format!("{wanted}{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            base_url: "http://127.0.0.1:9000",
            dynamodb_url: "http://127.0.0.1:9001",
            folder: Path::new("/home/me/.polygate"),
            admin_token: Path::new("/home/me/.polygate/admin-token"),
            lambda_env: Path::new("/my data/lambda.env"),
            keeps_accounts: true,
            accounts: 3,
            administrator: Some(Administrator::Renamed),
            registration: true,
            new_administrator: "boss2",
            person: "anna2",
        }
    }

    #[test]
    fn the_text_has_what_a_newcomer_needs() {
        let text = facts().render();
        for part in [
            "  sproutgate     http://127.0.0.1:9000/sproutgate\n",
            "  administrator  no longer admin: it chose its own name and password",
            "in /home/me/.polygate, kept when the server stops; accounts so far: 3",
            "  store engine   http://127.0.0.1:9001, open to anything on this machine\n",
            r#"-d '{"account":"anna2","code":"'$CODE'"}'"#,
            "cargo lambda watch -A 127.0.0.1 -P 9010 --env-file '/my data/lambda.env'\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("first-login-reset"), "{text}");
        let in_memory = Facts { keeps_accounts: false, ..facts() }.render();
        assert!(in_memory.contains("in memory only"), "{in_memory}");
    }

    #[test]
    fn the_reset_is_shown_while_it_is_due() {
        let due = Facts { administrator: Some(Administrator::ResetDue), ..facts() }.render();
        for part in [
            "  administrator  admin, password admin: must do its first-login reset before anything else\n",
            r#"$B/kite/api/v1/auth/login -H "$J" -d '{"username":"admin","password":"admin"}'"#,
            r#"$B/kite/api/v1/auth/first-login-reset -H "$J" -H "Authorization: Bearer $ADMIN""#,
            r#"-d '{"username":"boss2","email":"boss2@example.com","password":"#,
        ] {
            assert!(due.contains(part), "{part} in {due}");
        }
        let kept = Facts { administrator: Some(Administrator::KeptName), ..facts() }.render();
        assert!(kept.contains("admin, with the password it chose") && !kept.contains("first-login-reset -H"), "{kept}");
        let unknown = Facts { administrator: None, ..facts() }.render();
        assert!(!unknown.contains("administrator  "), "{unknown}");
    }

    #[test]
    fn with_registration_closed_it_shows_what_works() {
        let text = Facts { registration: false, ..facts() }.render();
        assert!(
            !text.contains("auth/register") && text.contains("X-Admin-Token: $(cat /home/me/.polygate/admin-token)"),
            "{text}"
        );
    }
}
