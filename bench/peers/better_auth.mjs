// Better Auth on Hono and SQLite: e-mail with password, sessions in the database, and JWTs for whoever has one.
// node better_auth.mjs PORT DATABASE

import { serve } from "@hono/node-server";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { jwt } from "better-auth/plugins";
import { Hono } from "hono";
import { database, hash, verify } from "./common.mjs";

const [port, file] = process.argv.slice(2);
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: "a secret for the length of one measurement",
  database: database(file),
  emailAndPassword: { enabled: true, password: { hash, verify: ({ hash, password }) => verify(hash, password) } },
  plugins: [jwt({ jwks: { keyPairConfig: { alg: "ES256" } } })],
  rateLimit: { enabled: false },
  logger: { level: "error" },
  telemetry: { enabled: false },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const app = new Hono();
app.on(["GET", "POST"], "/api/auth/*", (context) => auth.handler(context.req.raw));
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" }, () => console.error("ready"));
