"""A function on Python with boto3: one read of the table for each event, over a client that is made while it starts.

The runtime API's loop is written out, with no more in it than must be: Lambda's own client does more.
"""

import http.client
import json
import os

import boto3

BASE = "/2018-06-01/runtime/invocation"
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])

while True:
    connection.request("GET", f"{BASE}/next")
    event = connection.getresponse()
    event.read()
    key = {"pk": {"S": "signing"}, "sk": {"S": "issuer"}}
    found = client.get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True)
    answer = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps({"found": "Item" in found})}
    connection.request("POST", f"{BASE}/{event.headers['lambda-runtime-aws-request-id']}/response", json.dumps(answer))
    connection.getresponse().read()
