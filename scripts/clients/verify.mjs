// Checks access tokens as another service would, with jose and aws-jwt-verify: keys by discovery, the machine's own clock.
//
// stdin: {"base": "http://…", "algorithm": "ES256", "tokens": [{"name", "token", "audience", "issuer"}]}
// stdout: {"jose": {"<name>": "<subject>" or "refused: …"}, "aws-jwt-verify": {…}}

import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { JwtRsaVerifier, JwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

const { base, algorithm, tokens } = JSON.parse(readFileSync(0, "utf8"));
const discovered = await (await fetch(`${base}/.well-known/openid-configuration`)).json();
const jwksUri = discovered.jwks_uri;

async function byJose({ token, audience, issuer }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const { payload } = await jwtVerify(token, keys, { audience, issuer, typ: "at+jwt", algorithms: [algorithm] });
  return payload.sub;
}

// Its own fetcher takes https only, and this server stands on a loopback port.
const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };

async function byAws({ token, audience, issuer }) {
  // Its verifier of RSA alone is the one of old; the other takes all algorithms.
  const kind = algorithm === "RS256" ? JwtRsaVerifier : JwtVerifier;
  const verifier = kind.create({ audience, issuer, jwksUri }, { jwksCache: new SimpleJwksCache({ fetcher }) });
  return (await verifier.verify(token)).sub;
}

async function results(check) {
  const found = {};
  for (const asked of tokens) {
    try {
      found[asked.name] = await check(asked);
    } catch (error) {
      found[asked.name] = `refused: ${error.code ?? error.name}: ${error.message}`;
    }
  }
  return found;
}

console.log(JSON.stringify({ jose: await results(byJose), "aws-jwt-verify": await results(byAws) }));
