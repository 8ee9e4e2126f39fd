//! What stands below the help of each command: examples, settings, places and exit codes.

pub(super) const MORE: &str = "\
Examples:
  polygate                          port 9000, data kept in .polygate
  polygate --memory --port 9100     a second one beside it that keeps nothing
  ROOT_CONTRACT=kite polygate       paths without a contract's name speak kite
  polygate doctor                   what is wrong with this setup, and how to mend it

Settings, as environment variables, the same as for the deployed functions:
  ROOT_CONTRACT       kite, zeaya, sproutgate (default) or mcphub
  CONTRACT_HOSTS      contracts by host, e.g. photos.localhost=zeaya,hub.localhost=mcphub
  ALLOW_REGISTRATION  true (default) or false
  PASSWORD_POLICY     contract (default: by length) or strict
  HASH_COST           of new passwords, m=19456,t=2 (default) or more
  REQUIRE_SECOND_FACTOR  nobody (default), administrators or everyone
  SIGNING_ALGORITHM   ES256 (default) or RS256
  KEY_MAX_AGE_DAYS    until another signing key takes over, default 90, 0 for never
  ALLOWED_ORIGINS     pages that may send cookies, e.g. http://localhost:5173
  TIME_ZONE           of times that are shown without one, default +08:00
  ISSUER              of tokens, default the first address that the data was served at
  MAIL_FROM           sender of mail
  MAIL_REPLY_TO       where answers to mails go
  MAIL_TEMPLATES      directory of templates in place of built-in ones
  BRAND_NAME          in mails, default Polygate
  BRAND_COLOR         of the bar on top of mails, as in #2f5bd7
  SUPPORT_EMAIL, SUPPORT_URL  where mails say that help is
  RUST_LOG            what is logged, e.g. warn, or info,polygate_shared=debug

Exit codes: 0 all is well; 1 it failed, or something was found; 2 the command line is wrong.";

pub(super) const WHERE: &str = "\
Where it works:
  without more          on the data in .polygate, while no server holds it
  --data DIR            on the data in another directory
  --endpoint URL        through the store engine of a running server, as its guide prints it
  --table NAME          on the table of a deployment, by the AWS credentials of the environment:
                        eval \"$(aws configure export-credentials --format env)\"

Exit codes: 0 all is well; 1 it failed, or something was found; 2 the command line is wrong.";

pub(super) const CHECK: &str = "\
Examples:
  polygate check
  polygate check --json --table polygate-prod > report.json
  polygate check --repair --endpoint http://127.0.0.1:9001

";

pub(super) const EXPORT: &str = "\
Examples:
  polygate export backup.jsonl
  polygate export - --table polygate-prod | age -r KEY > backup.jsonl.age

";

pub(super) const IMPORT: &str = "\
Examples:
  polygate import backup.jsonl --data restored
  polygate import backup.jsonl --table polygate-new --region eu-central-1
  polygate import kite.db --from kite --dry-run
  polygate import data --from sproutgate --map who-is-who.jsonl --table polygate-prod

";

pub(super) const DOCTOR: &str = "\
Examples:
  polygate doctor
  polygate doctor --table polygate-prod --region eu-central-1 --url https://accounts.example.com

";

pub(super) const ROTATE: &str = "\
Examples:
  polygate keys rotate
  polygate keys rotate --at-once --table polygate-prod --region eu-central-1

";

pub(super) const RESET: &str = "\
Examples:
  polygate admin reset-password boss
  pass show polygate | polygate admin reset-password boss --password-stdin --table polygate-prod
  polygate admin reset-password admin --reinstate    where no administrator is left

";

pub(super) const COMPLETIONS: &str = "\
Examples:
  polygate completions bash > ~/.local/share/bash-completion/completions/polygate
  polygate completions zsh > \"${fpath[1]}/_polygate\"
  polygate completions fish > ~/.config/fish/completions/polygate.fish";
