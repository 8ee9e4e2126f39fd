// A signed-in person's client: each request carries the access token, and one that came too late is sent again with another.
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Session = components["schemas"]["SessionBody"];
type Pair = Pick<Session, "access_token" | "refresh_token">;

/** A refusal, as the service worded it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** The client that nobody is signed in to. `base` is kite's base URL, e.g. `http://127.0.0.1:9000/kite`. */
export function open(base: string): Client<paths> {
  return createClient<paths>({ baseUrl: base });
}

/** Signs in. A second factor, where there is one, is asked for. */
export async function signIn(base: string, username: string, password: string, ask: () => Promise<string>): Promise<Session> {
  const client = open(base);
  const first = await client.POST("/api/v1/auth/login", { body: { username, password } });
  if (!first.data) throw refusal(first);
  const answer = first.data.data;
  if (!("challenge_token" in answer)) return answer;
  const code = await ask();
  const second = await client.POST("/api/v1/auth/2fa/verify", { body: { challenge_token: answer.challenge_token, code } });
  if (!second.data) throw refusal(second);
  return second.data.data;
}

/** The client of a session. `keep` is told of each new pair of tokens: what it was told last is what to begin with next time. */
export function signedIn(base: string, session: Pair, keep: (pair: Pair) => void = () => {}): Client<paths> {
  let pair = session;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const { data } = await open(base).POST("/api/v1/auth/refresh", { body: { refresh_token: pair.refresh_token } });
    if (data) keep((pair = data.data));
  }

  const carry: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${pair.access_token}`);
    },
  };
  const client = createClient<paths>({
    baseUrl: base,
    async fetch(request) {
      const again = request.clone();
      const answer = await fetch(request);
      if (answer.status !== 401) return answer;
      // A refresh token is good once: requests that come too late together wait for the same new pair.
      renewing ??= renew().finally(() => (renewing = undefined));
      await renewing;
      again.headers.set("Authorization", `Bearer ${pair.access_token}`);
      return fetch(again);
    },
  });
  client.use(carry);
  return client;
}

/** What an answer that is none of success says. */
export function refusal(answer: { error?: unknown; response: Response }): Refused {
  const { code, message } = (answer.error ?? {}) as { code?: number; message?: string };
  return new Refused(answer.response.status, code ?? 0, message ?? answer.response.statusText);
}
