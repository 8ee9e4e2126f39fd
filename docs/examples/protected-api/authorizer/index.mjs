// Asks Polygate whether the bearer's token is good right now. What it answers is API Gateway's simple response of payload format 2.0.
const VERIFY = `${process.env.SPROUTGATE_URL}/api/auth/verify`;

export async function handler(event) {
  const authorization = event.headers?.authorization ?? "";
  if (!/^Bearer \S+$/i.test(authorization)) return { isAuthorized: false };
  const answer = await fetch(VERIFY, { headers: { authorization }, signal: AbortSignal.timeout(2500) });
  // 401 and 403 say why not. Anything else says nothing: let the gateway answer 500 rather than keep a refusal.
  if (answer.status === 401 || answer.status === 403) return { isAuthorized: false };
  if (!answer.ok) throw new Error(`verify answered ${answer.status}`);
  const { valid, user } = await answer.json();
  return valid === true ? { isAuthorized: true, context: { account: user.account } } : { isAuthorized: false };
}
