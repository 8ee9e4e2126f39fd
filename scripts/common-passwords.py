#!/usr/bin/env python3
"""Writes shared/src/identity/common_passwords.bin: the start of the SHA-256 of each common password, sorted.

    scripts/common-passwords.py ~/.cargo/registry/src/*/zxcvbn-3.1.1/src/frequency_lists.rs

The list is that of zxcvbn (MIT, Dropbox), as the crate zxcvbn 3.1.1 (MIT) has it; `cargo fetch` in a project that
depends on the crate brings it. Shorter passwords are left out: the policy refuses them for their length.
"""

import hashlib
import pathlib
import re
import sys

LEAST = 8
BYTES = 6

source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
listed = re.search(r'const PASSWORDS: &str = "((?:[^"\\]|\\.)*)"', source).group(1)
listed = listed.replace('\\"', '"').replace("\\\\", "\\").split(",")
common = {password.lower() for password in listed if len(password) >= LEAST}
hashed = sorted(hashlib.sha256(password.encode()).digest()[:BYTES] for password in common)
target = pathlib.Path(__file__).parent.parent / "shared/src/identity/common_passwords.bin"
target.write_bytes(b"".join(hashed))
print(f"{len(listed)} listed, {len(hashed)} of at least {LEAST} characters, {target.stat().st_size} bytes")
