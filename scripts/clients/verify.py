"""Checks access tokens as another service would, with PyJWT: keys by discovery, the machine's own clock.

stdin: {"base": "http://…", "algorithm": "ES256", "tokens": [{"name", "token", "audience", "issuer"}]}
stdout: {"PyJWT": {"<name>": "<subject>" or "refused: …"}}
"""

import json
import sys
import urllib.request

import jwt

asked = json.load(sys.stdin)
with urllib.request.urlopen(f"{asked['base']}/.well-known/openid-configuration") as answer:
    jwks_uri = json.load(answer)["jwks_uri"]
found = {}
for one in asked["tokens"]:
    try:
        key = jwt.PyJWKClient(jwks_uri).get_signing_key_from_jwt(one["token"])
        claims = jwt.decode(
            one["token"], key, algorithms=[asked["algorithm"]], audience=one["audience"], issuer=one["issuer"],
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        found[one["name"]] = claims["sub"]
    except jwt.PyJWTError as error:
        found[one["name"]] = f"refused: {type(error).__name__}: {error}"
print(json.dumps({"PyJWT": found}))
