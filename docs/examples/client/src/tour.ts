// Registers, signs in, asks who it is, and goes on after its access token was refused. POLYGATE names the base URL.
import { strict as assert } from "node:assert";
import { Refused, open, refusal, signIn, signedIn } from "./client.js";

const base = process.env["POLYGATE"] ?? "http://127.0.0.1:9000/kite";
const username = `tour-${Date.now().toString(36)}`;
const password = "a long enough password";
const noFactor = () => Promise.reject(new Error("this account has no second factor"));

const made = await open(base).POST("/api/v1/auth/register", { body: { username, email: `${username}@example.com`, password } });
if (!made.data) throw refusal(made);

await assert.rejects(signIn(base, username, "a wrong password", noFactor), (error) => error instanceof Refused && error.status === 401);
const session = await signIn(base, username, password, noFactor);
console.log(`signed in as ${session.user.username}`);

// An access token that is good no more, as after two hours.
let renewed = 0;
const client = signedIn(base, { ...session, access_token: "past.its.time" }, () => (renewed += 1));
const both = await Promise.all([client.GET("/api/v1/profile"), client.GET("/api/v1/profile")]);
for (const profile of both) {
  if (!profile.data) throw refusal(profile);
  assert.equal(profile.data.data.username, username);
}
assert.equal(renewed, 1, "one refresh for both");
console.log("asked who it is, with one refresh for two requests that came too late");

const changed = await client.PUT("/api/v1/profile", { body: { language: "en" } });
if (!changed.data) throw refusal(changed);
const left = await client.POST("/api/v1/auth/logout");
if (!left.data) throw refusal(left);
const after = await client.GET("/api/v1/profile");
assert.equal(after.response.status, 401, "the session is over, and can't be carried on");
console.log("signed out");
