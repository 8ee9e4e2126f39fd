//! What the development server says when it is ready: where everything is, and what to try next.

use std::fmt::Write as _;
use std::path::Path;

use polygate_shared::http::Contract;
use polygate_shared::identity::{ClaimKind, Store, canonical};

use crate::server::{FIRST_PASSWORD, Server};

/// The name of the first administrator.
const ADMINISTRATOR: &str = "admin";
/// The person of the examples; after a restart, with a number, so that the lines work again as printed.
const PERSON: &str = "anna";

impl Server {
    /// The text for whoever started it.
    pub async fn guide(&self) -> String {
        let store = self.store().as_ref();
        let facts = Facts {
            base_url: self.base_url(),
            folder: self.folder(),
            admin_token: &self.admin_token_file(),
            lambda_env: &self.lambda_env(),
            keeps_accounts: self.keeps_accounts(),
            accounts: store.count_accounts().await.unwrap_or_default(),
            first_password: has_first_password(store).await,
            registration: self.identity().allows_registration(),
            person: &unused_name(store).await,
        };
        facts.render()
    }
}

/// What the text depends on.
struct Facts<'a> {
    base_url: &'a str,
    folder: &'a Path,
    admin_token: &'a Path,
    lambda_env: &'a Path,
    keeps_accounts: bool,
    accounts: u64,
    first_password: bool,
    registration: bool,
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
        line(&mut text, "administrator", &self.administrator());
        let file = self.admin_token.display();
        line(&mut text, "admin token", &format!("in {file}: lets programs administer, in the header X-Admin-Token"));
        line(&mut text, "mails", &format!("{base_url}/_local/mail (for programs {base_url}/_local/mail.json)"));
        let data = match self.keeps_accounts {
            true => format!("in {}, kept when the server stops; accounts so far: {accounts}", self.folder.display()),
            false => "in memory only, gone when the server stops".to_owned(),
        };
        line(&mut text, "data", &data);
        text.push_str(&self.examples());
        let _ = write!(
            text,
            "\nThe same as five Lambda functions, on the same data (cargo-lambda, in another terminal):\n\n  \
             cargo lambda watch -A 127.0.0.1 -P 9010 --env-file {}\n\n",
            quoted(self.lambda_env)
        );
        text
    }

    fn administrator(&self) -> String {
        if self.first_password {
            return format!("{ADMINISTRATOR}, password {FIRST_PASSWORD}: must be changed before anything else");
        }
        format!("{ADMINISTRATOR}, with the password chosen earlier")
    }

    /// Lines for a shell with curl, grep and sed.
    fn examples(&self) -> String {
        let Self { base_url, person, .. } = self;
        let token_file = quoted(self.admin_token);
        if !self.registration {
            return format!(
                "\nTry next, in another terminal (nobody can register, since ALLOW_REGISTRATION=false):\n\n  \
                 curl -sw '\\n' {base_url}/sproutgate/api/admin/users -H \"X-Admin-Token: $(cat {token_file})\"\n"
            );
        }
        format!(
            r#"
Try next, in another terminal: register at sproutgate, prove the address by the mailed code,
sign in at kite, use that token at zeaya, and list the accounts as an administrator.

  B={base_url}
  J='Content-Type: application/json'
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

/// Whether the first administrator still has the password that everybody knows.
async fn has_first_password(store: &dyn Store) -> bool {
    let Ok(claims) = store.claims(&[(ClaimKind::Name, canonical(ADMINISTRATOR))]).await else { return false };
    let Some(claim) = claims.first() else { return false };
    matches!(store.account(claim.account).await, Ok(Some(found)) if found.account.must_change_password)
}

/// A name for the examples that nobody has, with its address.
async fn unused_name(store: &dyn Store) -> String {
    let mut name = PERSON.to_owned();
    for number in 2..100 {
        let keys = [(ClaimKind::Name, canonical(&name)), (ClaimKind::Email, canonical(&format!("{name}@example.com")))];
        match store.claims(&keys).await {
            Ok(claims) if !claims.is_empty() => name = format!("{PERSON}{number}"),
            // The name doesn't matter enough to fail for.
            _ => break,
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            base_url: "http://127.0.0.1:9000",
            folder: Path::new(".polygate"),
            admin_token: Path::new(".polygate/admin-token"),
            lambda_env: Path::new("my data/lambda.env"),
            keeps_accounts: true,
            accounts: 3,
            first_password: false,
            registration: true,
            person: "anna2",
        }
    }

    #[test]
    fn the_text_has_what_a_newcomer_needs() {
        let text = facts().render();
        for part in [
            "  sproutgate     http://127.0.0.1:9000/sproutgate\n",
            "with the password chosen earlier",
            "accounts so far: 3",
            r#"-d '{"account":"anna2","code":"'$CODE'"}'"#,
            "cargo lambda watch -A 127.0.0.1 -P 9010 --env-file 'my data/lambda.env'\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let fresh = Facts { first_password: true, keeps_accounts: false, ..facts() }.render();
        assert!(fresh.contains("admin, password admin: must be changed"), "{fresh}");
        assert!(fresh.contains("in memory only"), "{fresh}");
    }

    #[test]
    fn with_registration_closed_it_shows_what_works() {
        let text = Facts { registration: false, ..facts() }.render();
        assert!(
            !text.contains("auth/register") && text.contains("X-Admin-Token: $(cat .polygate/admin-token)"),
            "{text}"
        );
    }
}
