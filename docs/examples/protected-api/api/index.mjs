// Greets whom the authorizer let in: the JWT authorizer hands the token's claims over, the Lambda authorizer its context.
export async function handler(event) {
  const { jwt, lambda } = event.requestContext.authorizer;
  return { statusCode: 200, body: JSON.stringify({ hello: jwt?.claims.sub ?? lambda.account }) };
}
