// A function on Node with the SDK v3: one read of the table for each event, over a client that is made while it starts.
// The runtime API's loop is written out, with no more in it than must be: Lambda's own client does more.

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import http from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const base = "/2018-06-01/runtime/invocation";
const agent = new http.Agent({ keepAlive: true });
const client = new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => resolve({ headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const { headers } = await call("GET", `${base}/next`);
  const key = { pk: { S: "signing" }, sk: { S: "issuer" } };
  const { Item } = await client.send(new GetItemCommand({ TableName: process.env.TABLE_NAME, Key: key, ConsistentRead: true }));
  const answer = { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ found: Item !== undefined }) };
  await call("POST", `${base}/${headers["lambda-runtime-aws-request-id"]}/response`, JSON.stringify(answer));
}
