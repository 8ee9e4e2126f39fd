// OpenAuth on Hono, with a storage on SQLite in place of its in-memory one: `get`, `set`, `remove` and `scan` are all it asks for.
// node openauth.mjs PORT DATABASE

import { serve } from "@hono/node-server";
import { issuer } from "@openauthjs/openauth";
import { PasswordProvider } from "@openauthjs/openauth/provider/password";
import { createSubjects } from "@openauthjs/openauth/subject";
import { Hono } from "hono";
import { database, hash, verify } from "./common.mjs";

const [port, file] = process.argv.slice(2);
const db = database(file);
db.exec("CREATE TABLE IF NOT EXISTS storage (key TEXT PRIMARY KEY, value TEXT NOT NULL, expiry INTEGER) WITHOUT ROWID");
const get = db.prepare("SELECT value FROM storage WHERE key = ? AND (expiry IS NULL OR expiry > ?)");
const set = db.prepare("INSERT OR REPLACE INTO storage (key, value, expiry) VALUES (?, ?, ?)");
const remove = db.prepare("DELETE FROM storage WHERE key = ?");
const scan = db.prepare("SELECT key, value FROM storage WHERE key >= ? AND key < ? AND (expiry IS NULL OR expiry > ?)");
const SEPARATOR = "\x1f";
const joined = (key) => key.join(SEPARATOR);
const storage = {
  async get(key) {
    const row = get.get(joined(key), Date.now());
    return row && JSON.parse(row.value);
  },
  async set(key, value, expiry) {
    set.run(joined(key), JSON.stringify(value), expiry ? expiry.getTime() : null);
  },
  async remove(key) {
    remove.run(joined(key));
  },
  async *scan(prefix) {
    const from = joined(prefix) + SEPARATOR;
    for (const { key, value } of scan.all(from, `${from}\u{10ffff}`, Date.now())) yield [key.split(SEPARATOR), JSON.parse(value)];
  },
};

const page = (text) => new Response(text, { headers: { "content-type": "text/html" } });
const mailed = new Map();
const auth = issuer({
  storage,
  // Anything that has a schema; ours takes all.
  subjects: createSubjects({ user: { "~standard": { version: 1, vendor: "bench", validate: (value) => ({ value }) } } }),
  providers: {
    password: PasswordProvider({
      hasher: { hash, verify: (password, hashed) => verify(hashed, password) },
      login: async (_request, _form, error) => page(error ? `login: ${error.type}` : "login"),
      register: async (_request, state, _form, error) => page(error ? `register: ${error.type}` : `register: ${state.type}`),
      change: async () => page("change"),
      sendCode: async (email, code) => void mailed.set(email, code),
    }),
  },
  success: async (context, value) => context.subject("user", { email: value.email }),
});
// The code that would have been mailed, for the client of the measurement.
const app = new Hono();
app.get("/mailed/:email", (context) => {
  const email = context.req.param("email");
  const code = mailed.get(email);
  mailed.delete(email);
  return context.json({ code });
});
app.route("/", auth);
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" }, () => console.error("ready"));
