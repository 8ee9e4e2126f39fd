# `just` lists the recipes. `just check` and .ci/run run the same steps.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Tools of scripts/bootstrap come first: cargo-lambda finds its linker there.
export PATH := justfile_directory() / ".venv/bin:" + justfile_directory() / ".ci/tools/bin:" + env("PATH")
export SAM_CLI_TELEMETRY := "0"
export AWS_DEFAULT_REGION := env("AWS_DEFAULT_REGION", "eu-central-1")

# List the recipes
[private]
default:
    @just --list --unsorted

# Run the development server on 127.0.0.1:9000 (`just run --memory` keeps nothing)
run *args:
    cargo run -- {{ args }}

# Install the tools that the checks need, into .venv and .ci/tools
bootstrap:
    @scripts/bootstrap

# Everything that CI runs
check: bootstrap
    @scripts/steps fmt clippy test timing store-extenddb doc deny validate template smoke mail clients recipes documents growth bench-report soak-short fuzz pages lambda build functions cold-start guards

# Formatting and clippy
lint: fmt clippy

# The code is formatted
fmt:
    cargo fmt --all --check
    cargo fmt --check --manifest-path scripts/floor/Cargo.toml
    cargo fmt --check --manifest-path bench/driver/Cargo.toml

# Clippy has nothing to say
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# The tests
test:
    cargo test

# How long sign-ins with a wrong password and with an unknown name take, to be read; fails where their counted work differs
timing:
    cargo test --test conversations -- --ignored --nocapture timing::

# The store's tests against a second engine, ExtendDB (installed from npm into target/)
store-extenddb:
    @scripts/store_extenddb

# The documentation builds without a warning
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# Write docs/openapi/ anew from the handlers' types; `just test` tells when it is stale
openapi:
    UPDATE_OPENAPI=1 cargo test --test conversations the_kept_documents_are_current

# Banned crates, licences, sources and advisories
deny:
    @scripts/deny

# The template is valid
validate:
    sam validate --lint
    cfn-lint template.yaml

# What the template makes: translated, asserted, created in moto and read back, and changed for the worse
template:
    PYTHONDONTWRITEBYTECODE=1 .venv/bin/python scripts/template_test.py

# README's first steps work as printed
smoke:
    @scripts/smoke

# Codes mailed through moto's SES and through the mailbox are read back and used; an event twice is one mail
mail:
    cargo build --workspace --bins
    @scripts/mail.py --server target/debug/polygate --register target/debug/register

# jose, aws-jwt-verify and PyJWT take our tokens before, during and after a rotation of keys; pyotp signs in
clients:
    @scripts/against_clients

# docs/clients.md as it stands: the TypeScript client and the Lambda authorizer run, the protected API's templates linted
recipes:
    cargo build --bin polygate
    @scripts/recipes.py --server target/debug/polygate

# Every answer is one that docs/openapi/ has, whatever is asked (Schemathesis)
documents:
    cargo build --bin polygate
    @scripts/against_documents.py

# docs/growth.md is what docs/budgets.json comes to
growth:
    @scripts/growth.py --check

# Write docs/growth.md and its charts anew; `UPDATE_BUDGETS=1 cargo test --test budgets` and `… --test conversations what_every_endpoint_costs` measure what requests cost
growth-anew:
    @scripts/with_charts growth.py

# Measure cold starts, work, throughput, cost and growth beside peers, and write docs/performance.md: some 20 minutes after the builds, on a quiet machine (`--only cold`, `--report`, `--quick`)
bench *args: bootstrap
    PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m bench {{ args }}

# How far two runs of `just bench` are apart: folders of results, docs/performance/ unless a second is named
bench-compare *args:
    PYTHONDONTWRITEBYTECODE=1 python3 -m bench.compare {{ args }}

# docs/performance.md is what docs/performance/*.json gives
bench-report:
    @PYTHONDONTWRITEBYTECODE=1 bench/report.py --check

# The development server under once, twice and four times what it can hold, 5 minutes each: 20 minutes, and a chart for docs/reliability.md
soak:
    cargo build --workspace --bins
    ulimit -n 8192 && target/debug/load --server target/debug/polygate --report docs/reliability/load.json
    @scripts/with_charts load_chart.py

# The same in a minute or so, without the chart; `just soak-short --seed N` for the same traffic
soak-short *args:
    cargo build --workspace --bins
    target/debug/load --server target/debug/polygate --seconds 8 --probe 6 --people 80 {{ args }}

# Each fuzz target for some seconds, from its seeds
fuzz seconds="3":
    @scripts/fuzz --seconds {{ seconds }}

# Each fuzz target for so many inputs, from its seeds; some hours
fuzz-long inputs="1000000":
    @scripts/fuzz --inputs {{ inputs }}

# Pictures of every mail, to be looked at, in target/mail-pictures/ (Chromium)
mail-pictures:
    @scripts/mail_pictures.py

# The development server's mail page in a real browser (Chromium), with pictures in target/mail-page/
pages:
    cargo build --bin polygate
    @scripts/mail_page.py

# `cargo lambda watch` and `cargo lambda invoke` serve every group, on the development server's store
lambda:
    cargo build --workspace --bins
    @scripts/lambda_local.py --server target/debug/polygate

# `sam build`, without link-time optimisation, for this machine's own architecture
build:
    RUSTUP="$PWD/scripts/no-rustup" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 sam build --parameter-overrides Architecture=x86_64 HandleBounces=true
    @ls -l .aws-sam/build/*/bootstrap

# The conversations again, with what `just build` made: a process for each function, behind a gateway that routes as the template does
functions:
    PYTHONDONTWRITEBYTECODE=1 .venv/bin/python scripts/functions.py --built .aws-sam/build

# The login function starts nearly as fast as a bare one; takes what `just build` made, which is slower than what is deployed
cold-start: _floor
    cargo build --bin polygate
    @scripts/cold_start.py compare --times 4.5 --floor target/floor/release/floor --login .aws-sam/build/LoginFunction/bootstrap --server target/debug/polygate

# The same with the binary as it is deployed: link-time optimised, so it builds for some minutes
cold-start-deployed: _floor
    cargo build --bin polygate
    cargo build --release --package login
    @scripts/cold_start.py compare --floor target/floor/release/floor --login target/release/login --server target/debug/polygate

# Instructions, sizes and crates of what `just build` made are as kept in docs/performance/guards.json; UPDATE_GUARDS=1 keeps them anew
guards:
    cargo build --bin polygate
    PYTHONDONTWRITEBYTECODE=1 .venv/bin/python scripts/guards.py --built .aws-sam/build --server target/debug/polygate

_floor:
    cargo build --release --locked --manifest-path scripts/floor/Cargo.toml --target-dir target/floor

# Build as deployed and deploy; `just deploy --guided` the first time asks for the settings
deploy *args:
    sam build
    sam deploy {{ args }}

# Follow the logs of a deployed stack
logs stack="polygate":
    sam logs --stack-name {{ stack }} --tail
