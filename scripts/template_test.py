#!/usr/bin/env python3
"""Looks whether template.yaml means what it should, without an account.

It is translated by aws-sam-translator, as CloudFormation would, and what comes out is looked at: routes, integrations,
permissions, throttles, policies, environment, table, secrets, alarms, hosts. Then the stack is made in moto, as far as
that goes, and read back by the API. Last come the tests of the test: each changes the template for the worse, and must
be found out.

Which actions the functions really use is compared with their policies in another step, `just functions`.
"""

import ast
import copy
import io
import json
import pathlib
import re
import sys
import tomllib
import zipfile

import boto3
from moto import mock_aws

from stack import GROUPS, REGION, ROOT, STACK, Failure, Stack, template, translated
from watching import ALARMS, BOUNCES, alarms, dashboard

SENDER = "no-reply@example.com"
CONTRACTS = ["Kite", "Zeaya", "Sproutgate", "Mcphub"]
NAMES = [group.capitalize() for group in GROUPS]
TABLE_ACTIONS = {f"dynamodb:{action}" for action in ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]}
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def same(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: {found!r}, not {expected!r}")


def holds(what, true):
    if not true:
        raise Failure(what)


# ---- what the translated template has -------------------------------------------------------------------------------


def parameters(sam):
    for name, parameter in sam["Parameters"].items():
        holds(f"the parameter {name} has no description", len(parameter.get("Description", "")) > 10)
        bounded = parameter["Type"] == "Number" or "AllowedPattern" in parameter or "AllowedValues" in parameter
        holds(f"the parameter {name} takes anything", bounded)
        if "AllowedPattern" in parameter and name not in ("MailFrom", "Issuer", "TimeZone", "BrandName"):
            holds(f"the default of {name} is not taken", re.fullmatch(parameter["AllowedPattern"], parameter.get("Default", "?")))
    same("parameters without a default", [name for name, one in sam["Parameters"].items() if "Default" not in one], ["MailFrom"])
    grouped = [name for group in sam["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"] for name in group["Parameters"]]
    same("parameters in the groups that the console shows", sorted(grouped), sorted(sam["Parameters"]))


def builds(sam):
    """Each function is made of the program of its name, for the architecture of the parameter."""
    for name in [*NAMES, "Bounces"]:
        function = sam["Resources"][f"{name}Function"]
        same(f"what {name} is built of", function["Metadata"], {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name.lower()}})
        # In its own folder: built in the root, it would link what only the development server asks of common dependencies.
        same(f"where {name} is built", function["Properties"]["CodeUri"]["Key"], f"functions/{name.lower()}/bootstrap.zip")
    same("the default architecture", sam["Parameters"]["Architecture"]["Default"], "x86_64")
    same("when keys hand over", sam["Parameters"]["KeyMaxAgeDays"]["Default"], 90)
    sender = sam["Parameters"]["MailFrom"]["AllowedPattern"]
    for text, good in [("a@b.co", True), ("A <a@b.co>", True), ("nobody", False), ("a@b", False), ("a b@c.de", False), ("a@b.co, c@d.co", False)]:
        same(f"whether {text} may send", bool(re.fullmatch(sender, text)), good)
    hosts = ["CertificateArn", *(f"{contract}Domain" for contract in CONTRACTS)]
    asked = json.dumps(sam["Rules"])
    holds("hosts need no certificate", all(f'"Ref": "{name}"' in asked for name in hosts))


def routes(stack):
    with open(ROOT / "Cargo.toml", "rb") as file:
        # A test in Rust compares this table with the functions' routers.
        expected = dict(tomllib.load(file)["workspace"]["metadata"]["lambda"]["watch"]["router"])
    same("the routes", stack.routes(), expected | {"$default": "refresh"})
    body = stack.resources["HttpApi"]["Properties"]["Body"]
    default = body["paths"]["/$default"]["x-amazon-apigateway-any-method"]
    same("the default route", default["isDefaultRoute"], True)
    integrations = body["components"]["x-amazon-apigateway-integrations"]
    same("the integrations", sorted(integrations), sorted(GROUPS))
    for group, integration in integrations.items():
        same(f"the kind of {group}'s integration", (integration["type"], integration["payloadFormatVersion"]), ("AWS_PROXY", "2.0"))
        holds(f"{group}'s integration is another function's", f":{group.capitalize()}Function/invocations" in integration["uri"])


def permissions(stack):
    found = sorted((one["FunctionName"], one["Principal"], one["Action"]) for one in stack.of_type("AWS::Lambda::Permission").values())
    expected = sorted((f"{name}Function", "apigateway.amazonaws.com", "lambda:InvokeFunction") for name in NAMES)
    same("who may call the functions", found, expected)
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        holds(f"{name} is not for this API alone", permission["SourceArn"].endswith(":HttpApi/*"))


def throttles(stack):
    stage = stack.resources["HttpApiApiGatewayDefaultStage"]["Properties"]
    default, own = stage["DefaultRouteSettings"], stage["RouteSettings"]
    same("the default throttle", default, {"ThrottlingRateLimit": "100", "ThrottlingBurstLimit": "200"})
    expected = {f"ANY {path}" for path, group in stack.routes().items() if group in ("login", "register", "admin")}
    same("routes with a throttle of their own", set(own), expected)
    for route, settings in own.items():
        rate, burst = settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]
        holds(f"the throttle of {route} is no number below the default's", 0 < rate < 100 and rate <= burst < 200)


def policies(stack, sender):
    secrets = {"login": "FirstPassword", "admin": "AdminToken"}
    for group in stack.groups():
        role, logs = stack.role(group), f"{group.capitalize()}Logs"
        same(f"{group}'s managed policies", role.get("ManagedPolicyArns", []), [])
        holds(f"{group} has another's role", stack.function(group)["Role"].endswith(f":{group.capitalize()}FunctionRole"))
        trusted = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        same(f"who takes {group}'s role", role["AssumeRolePolicyDocument"]["Statement"], trusted)
        table, listings, mail, kept, written = set(), set(), set(), set(), set()
        for action, resource in stack.allowed(group):
            if resource.endswith(":Table") and action in TABLE_ACTIONS:
                table.add(action)
            elif re.search(r":Table/index/\w+$", resource) and action == "dynamodb:Query":
                listings.add(resource)
            elif action == "ses:SendEmail" and re.search(r":(identity/\*|configuration-set/[\w-]+)$", resource):
                mail.add(resource)
            elif action == "secretsmanager:GetSecretValue" and "*" not in resource:
                kept.add(resource.rsplit(":", 1)[1])
            elif action in LOG_ACTIONS and resource.endswith(f":log-group:{logs}:*"):
                written.add(action)
            else:
                raise Failure(f"{group} may {action} on {resource}")
        holds(f"{group} may do nothing with the table", table)
        same(f"what {group} may do with its own logs", written, LOG_ACTIONS)
        same(f"where {group} logs", stack.function(group)["LoggingConfig"]["LogGroup"], logs)
        same(f"the secrets that {group} may read", kept, {secrets[group]} if group in secrets else set())
        same(f"whether {group} may mail", bool(mail), group not in ("refresh", "bounces"))
        for statement in stack.statements(group):
            if statement["Action"] == "ses:SendEmail":
                same(f"{group}'s sender", statement.get("Condition"), {"StringEquals": {"ses:FromAddress": sender}})


def functions(stack):
    for group in stack.groups():
        function = stack.function(group)
        same(f"{group}'s runtime", (function["Runtime"], function["Handler"]), ("provided.al2023", "bootstrap"))
        holds(f"{group} has no memory of its own", 256 <= function["MemorySize"] <= 1769)
        holds(f"{group} may run longer than the gateway waits", 5 <= function["Timeout"] <= 29)
        holds(f"{group} reserves concurrency unasked", "ReservedConcurrentExecutions" not in function)
        same(f"the form of {group}'s logs", {name: one for name, one in function["LoggingConfig"].items() if name != "LogGroup"}, {"LogFormat": "JSON"})
        logs = stack.resources[function["LoggingConfig"]["LogGroup"]]
        same(f"how long {group}'s logs are kept", logs["Properties"]["RetentionInDays"], "30")
        same(f"{group}'s tag", [tag["Value"] for tag in function["Tags"] if tag["Key"] == "application"], ["polygate"])


def environment(stack):
    sources = [ROOT / "shared/src/settings.rs", *(ROOT / "shared/src/settings").glob("*.rs")]
    known = {name for file in sources for name in re.findall(r'"([A-Z]{3,}[A-Z_]*)"', file.read_text().split("#[cfg(test)]")[0])}
    given = {name for group in GROUPS for name in stack.environment(group)}
    same("settings that the template doesn't give", known - given, set())
    # STACK_NAME names the deployment in metrics; the C library reads GLIBC_TUNABLES.
    same("variables that are no settings", given - known, {"STACK_NAME", "GLIBC_TUNABLES"})
    for group in GROUPS:
        environment = stack.environment(group)
        same(f"{group}'s table", environment["TABLE_NAME"], "Table")
        same(f"{group}'s policy for passwords", environment["PASSWORD_POLICY"], "strict")
        same(f"whether {group} knows the sender", "MAIL_FROM" in environment, group != "refresh")
        same(f"whether {group} knows where the secrets are", "ADMIN_TOKEN_SECRET" in environment, group in ("login", "admin"))


def secrets(stack):
    same("the secrets", sorted(stack.of_type("AWS::SecretsManager::Secret")), ["AdminToken", "FirstPassword"])
    for name, secret in stack.of_type("AWS::SecretsManager::Secret").items():
        made = secret["GenerateSecretString"]
        holds(f"{name} is not made at random", made["PasswordLength"] >= 24 and "SecretString" not in secret)
    # A dynamic reference would put the secret where whoever sees the function's settings reads it.
    holds("a secret is resolved by CloudFormation", "{{resolve:" not in json.dumps(stack.template))


def table(stack):
    resource = stack.resources["Table"]
    properties = resource["Properties"]
    same("what becomes of the table with the stack", (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]), ("RetainExceptOnCreate", "Retain"))
    same("how the table is paid", properties["BillingMode"], "PAY_PER_REQUEST")
    same("deletion protection", properties["DeletionProtectionEnabled"], "true")
    same("point-in-time recovery", properties["PointInTimeRecoverySpecification"], {"PointInTimeRecoveryEnabled": True})
    same("time to live", properties["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})
    holds("the table has a fixed name", "TableName" not in properties)
    kinds = {one["AttributeName"]: one["AttributeType"] for one in properties["AttributeDefinitions"]}

    def key(schema):
        return [(one["AttributeName"], kinds[one["AttributeName"]], one["KeyType"]) for one in schema]

    same("the table's key", key(properties["KeySchema"]), [("pk", "S", "HASH"), ("sk", "S", "RANGE")])
    indexes = {one["IndexName"]: (key(one["KeySchema"]), one["Projection"]) for one in properties["GlobalSecondaryIndexes"]}
    expected = {
        "listing": ([("listing", "S", "HASH"), ("number", "N", "RANGE")], {"ProjectionType": "ALL"}),
        "claims": ([("initial", "S", "HASH"), ("start", "S", "RANGE")], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["account"]}),
    }
    same("the table's indexes", indexes, expected)


def outputs(stack):
    for name in ["ApiUrl", *(f"{contract}Url" for contract in CONTRACTS), "JwksUrl"]:
        holds(f"the output {name} is no address of this API", stack.outputs.get(name, "").startswith("https://HttpApi."))
    holds("JwksUrl is another path's", stack.outputs["JwksUrl"].endswith("/.well-known/jwks.json"))
    holds("nothing tells how to read the first password", "FirstPassword" in stack.outputs["NextStep"])


def as_it_comes(sam):
    """Everything about the stack of a team that types a sender and nothing else."""
    parameters(sam)
    builds(sam)
    stack = Stack(translated(sam), {"MailFrom": SENDER})
    for look in (routes, permissions, throttles, functions, environment, secrets, table, outputs):
        look(stack)
    policies(stack, SENDER)
    alarms(stack, [])
    dashboard(stack)
    absent = ["SNS::Topic", "Route53::RecordSet", "ApiGatewayV2::DomainName", "SES::EmailIdentity"]
    same("what nobody asked for", [kind for kind in absent if stack.of_type(f"AWS::{kind}")], [])
    return stack


# ---- what parameters change -----------------------------------------------------------------------------------------

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/0c1e9b4a"


def options(cloudformation):
    def stack(**given):
        return Stack(cloudformation, {"MailFrom": SENDER, **given})

    named = stack(MailFrom=f"Accounts of Example <{SENDER}>", MailConfigurationSet="mails", HandleBounces="true")
    policies(named, SENDER)
    alarms(named, [], ALARMS | BOUNCES)
    functions(named)
    [told] = named.resources["BouncesTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    same("who may report bounces", (told["Principal"], told["Action"], told["Condition"]), ({"Service": "ses.amazonaws.com"}, "sns:Publish", {"StringEquals": {"AWS:SourceAccount": "123456789012"}}))
    callers = [one["Principal"] for one in named.of_type("AWS::Lambda::Permission").values()]
    same("who calls the six functions", sorted(callers), ["apigateway.amazonaws.com"] * 5 + ["sns.amazonaws.com"])

    told = stack(AlarmEmail="ops@example.com")
    alarms(told, [f"arn:aws:sns:{REGION}:123456789012:AlarmTopic"])
    same("who is told", told.of_type("AWS::SNS::Topic")["AlarmTopic"]["Subscription"], [{"Protocol": "email", "Endpoint": "ops@example.com"}])
    pager = "arn:aws:sns:eu-central-1:123456789012:pager"
    both = stack(AlarmEmail="ops@example.com", AlarmTopicArn=pager)
    alarms(both, [pager])
    same("topics where there is one already", both.of_type("AWS::SNS::Topic"), {})

    hosts = {f"{contract}Domain": f"{contract.lower()}.example.com" for contract in CONTRACTS}
    own = stack(**hosts, ContractHosts="old.example.com=kite", CertificateArn=ARN, HostedZoneId="Z0123456789ABC")
    expected = ",".join(["old.example.com=kite", *(f"{one.lower()}.example.com={one.lower()}" for one in CONTRACTS)])
    for group in GROUPS:
        same(f"{group}'s hosts", own.environment(group)["CONTRACT_HOSTS"], expected)
    for contract in CONTRACTS:
        host = hosts[f"{contract}Domain"]
        [domain] = own.resources[f"{contract}Host"]["Properties"]["DomainNameConfigurations"]
        same(f"how {contract}'s host is reached", (domain["SecurityPolicy"], domain["CertificateArn"]), ("TLS_1_2", ARN))
        same(f"{contract}'s host", own.resources[f"{contract}Host"]["Properties"]["DomainName"], host)
        mapping = own.resources[f"{contract}Mapping"]["Properties"]
        same(f"{contract}'s mapping", (mapping["ApiId"], mapping["Stage"], mapping["DomainName"]), ("HttpApi", "$default", f"{contract}Host"))
        same(f"{contract}'s record", own.resources[f"{contract}Record"]["Properties"]["Name"], host)
        same(f"{contract}'s base URL", own.outputs[f"{contract}Url"], f"https://{host}")
    one = stack(ZeayaDomain="photos.example.com", CertificateArn=ARN)
    same("hosts where one is wanted", sorted(one.of_type("AWS::ApiGatewayV2::DomainName")), ["ZeayaHost"])
    same("records without a zone", one.of_type("AWS::Route53::RecordSet"), {})

    reserved = stack(**{f"{name}Concurrency": str(10 + nth) for nth, name in enumerate(NAMES)}, Architecture="arm64")
    same("reservations", [reserved.function(group)["ReservedConcurrentExecutions"] for group in GROUPS], ["10", "11", "12", "13", "14"])
    same("the architecture", {tuple(reserved.function(group)["Architectures"]) for group in GROUPS}, {("arm64",)})
    mailing = stack(MailIdentity="example.com")
    same("the identity", list(mailing.of_type("AWS::SES::EmailIdentity")), ["SenderIdentity"])
    same("what becomes of it with the stack", mailing.resources["SenderIdentity"]["DeletionPolicy"], "RetainExceptOnCreate")
    for name, bad in [("MailFrom", "nobody"), ("KiteDomain", "https://a.example.com"), ("LoginConcurrency", "0"), ("AlarmEmail", "a b@c.de")]:
        try:
            stack(**{name: bad})
        except Failure:
            continue
        raise Failure(f"{name}={bad} was taken")


def tracing(sam):
    plain = Stack(translated(copy.deepcopy(sam)), {"MailFrom": SENDER})
    same("functions that are traced unasked", [group for group in GROUPS if "TracingConfig" in plain.function(group)], [])
    traced = Stack(translated(sam, Tracing="Active"), {"MailFrom": SENDER, "Tracing": "Active"})
    for group in GROUPS:
        same(f"{group}'s traces", traced.function(group)["TracingConfig"], {"Mode": "Active"})
        added = traced.allowed(group) - plain.allowed(group)
        same(f"what {group} may where it is traced", added, {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")})


def configurations():
    """samconfig.toml: `sam build` and `sam deploy` get the same architecture, in each environment."""
    with open(ROOT / "samconfig.toml", "rb") as file:
        config = tomllib.load(file)
    for name in ("default", "dev", "prod"):
        both = [[one for one in config[name][step]["parameters"]["parameter_overrides"] if one.startswith("Architecture=")] for step in ("build", "deploy")]
        same(f"{name}'s architecture in build and deploy", both, [["Architecture=x86_64"]] * 2)
        same(f"what {name} may make", config[name]["deploy"]["parameters"]["capabilities"], "CAPABILITY_IAM")
    holds("prod's table could be deleted", "DeletionProtection=true" in config["prod"]["deploy"]["parameters"]["parameter_overrides"])


# ---- moto -----------------------------------------------------------------------------------------------------------


@mock_aws
def made(cloudformation):
    """The stack in moto, read back. What its CloudFormation doesn't make is taken out, and what names it gets the name
    that it could have; everything else is as translated."""
    cloudformation = copy.deepcopy(cloudformation)
    unknown = ("ApiGatewayV2", "Route53", "SecretsManager", "CloudWatch")
    left_out = [name for name, one in cloudformation["Resources"].items() if one["Type"].split("::")[1] in unknown]
    for name in left_out:
        del cloudformation["Resources"][name]
    cloudformation["Outputs"] = {name: one for name, one in cloudformation["Outputs"].items() if "Condition" not in one}
    cloudformation.pop("Rules")
    text = json.dumps(cloudformation)
    for name in left_out:
        text = text.replace(json.dumps({"Ref": name}), f'"{physical(name)}"').replace(f"${{{name}}}", physical(name))
    cloudformation = json.loads(text)

    s3, cfn, dynamodb, functions, iam = (boto3.client(one, region_name=REGION) for one in ("s3", "cloudformation", "dynamodb", "lambda", "iam"))
    s3.create_bucket(Bucket="artefacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("bootstrap", "")
    s3.put_object(Bucket="artefacts", Key="bootstrap.zip", Body=zipped.getvalue())
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in {"MailFrom": SENDER, "AlarmEmail": "ops@example.com"}.items()]
    cfn.create_stack(StackName=STACK, TemplateBody=json.dumps(cloudformation), Parameters=given, Capabilities=["CAPABILITY_IAM"])
    description = cfn.describe_stacks(StackName=STACK)["Stacks"][0]
    same("how far moto got", description["StackStatus"], "CREATE_COMPLETE")
    listed = cfn.describe_stack_resources(StackName=STACK)["StackResources"]
    # Resources whose condition does not hold are listed without anything.
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed if "PhysicalResourceId" in one}

    name = ids["Table"]
    described = dynamodb.describe_table(TableName=name)["Table"]
    same("the table's key", [one["AttributeName"] for one in described["KeySchema"]], ["pk", "sk"])
    same("the table's indexes", sorted(one["IndexName"] for one in described["GlobalSecondaryIndexes"]), ["claims", "listing"])
    same("how it is paid", described["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    same("deletion protection", str(described["DeletionProtectionEnabled"]).lower(), "true")
    # moto's CloudFormation passes these two over, its DynamoDB doesn't: so they are handed over as the template has them.
    properties = cloudformation["Resources"]["Table"]["Properties"]
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"])
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    same("point-in-time recovery", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "ENABLED")
    live = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    same("time to live", (live["TimeToLiveStatus"], live["AttributeName"]), ("ENABLED", "expires_at"))
    for group in GROUPS:
        function = functions.get_function(FunctionName=ids[f"{group.capitalize()}Function"])["Configuration"]
        same(f"{group}'s runtime", function["Runtime"], "provided.al2023")
        same(f"{group}'s table", function["Environment"]["Variables"]["TABLE_NAME"], name)
        role = function["Role"].rsplit("/", 1)[1]
        allowed = []
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            # It comes as Python spells it.
            allowed += ast.literal_eval(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])["Statement"]
        # It keeps the places of statements that a condition leaves out.
        resources = {one["Sid"]: one["Resource"] for one in allowed if one}
        same(f"the table of {group}'s policy", resources["Table"], described["TableArn"])
        holds(f"{group}'s policy is for no log of its own", f":log-group:{ids[f'{group.capitalize()}Logs']}" in resources["Logs"])
        if group in ("login", "admin"):
            secret = physical({"login": "FirstPassword", "admin": "AdminToken"}[group])
            same(f"the secret of {group}'s policy", resources["Secret"], secret)
            variables = function["Environment"]["Variables"]
            holds(f"{group} is not told of its secret", secret in (variables["ADMIN_PASSWORD_SECRET"], variables["ADMIN_TOKEN_SECRET"]))
        policy = json.loads(functions.get_policy(FunctionName=ids[f"{group.capitalize()}Function"])["Policy"])
        same(f"who may call {group}", [one["Principal"] for one in policy["Statement"]], [{"Service": "apigateway.amazonaws.com"}])
    topic = boto3.client("sns", region_name=REGION).list_subscriptions_by_topic(TopicArn=ids["AlarmTopic"])["Subscriptions"]
    same("who is told", [(one["Protocol"], one["Endpoint"]) for one in topic], [("email", "ops@example.com")])
    logs = boto3.client("logs", region_name=REGION).describe_log_groups()["logGroups"]
    same("log groups and their days", [one["retentionInDays"] for one in logs], [30] * 5)
    told = {one["OutputKey"]: one["OutputValue"] for one in description["Outputs"]}
    same("where the outputs say that the password lies", told["FirstPasswordSecret"], physical("FirstPassword"))
    return f"{len(ids)} resources; of {len(left_out)} others (HTTP API, hosts, secrets, alarms) it knows nothing"


def physical(name):
    """What a resource that moto doesn't make could be called."""
    return f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}" if name in ("FirstPassword", "AdminToken") else "a1b2c3d4e5"


# ---- the tests of the test ------------------------------------------------------------------------------------------


def worse(sam):
    """(what was done to the template, the template)."""

    def changed(what, change):
        copied = copy.deepcopy(sam)
        change(copied["Resources"], copied)
        return what, copied

    def statements(resources, group):
        return resources[f"{group}FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]

    def statement(resources, group, sid):
        return next(one for one in statements(resources, group) if one.get("Sid") == sid)

    def paths(resources):
        return resources["HttpApi"]["Properties"]["DefinitionBody"]["paths"]

    yield changed("a route is missing", lambda r, _: paths(r).pop("/{mount}/api/auth/login"))
    yield changed("a route leads to another function", lambda r, _: paths(r)["/api/auth/login"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].update({"$ref": "#/components/x-amazon-apigateway-integrations/register"}))
    yield changed("the default route is missing", lambda r, _: paths(r).pop("/$default"))
    yield changed("a permission is missing", lambda r, _: r.pop("AdminPermission"))
    yield changed("anybody may call a function", lambda r, _: r["LoginPermission"]["Properties"].pop("SourceArn"))
    yield changed("a throttle is missing", lambda r, _: r["HttpApi"]["Properties"]["RouteSettings"].pop("ANY /api/auth/register"))
    yield changed("a policy has an action on tables too many", lambda r, _: statements(r, "Refresh")[0]["Action"].append("dynamodb:Scan"))
    yield changed("a policy takes any table", lambda r, _: statements(r, "Refresh")[0].update(Resource="*"))
    yield changed("any sender may be used", lambda r, _: statement(r, "Register", "Mail").pop("Condition"))
    yield changed("a function writes another's log", lambda r, _: statement(r, "Refresh", "Logs").update(Resource={"Fn::GetAtt": "LoginLogs.Arn"}))
    yield changed("a function may write any log", lambda r, _: r["RefreshFunctionRole"]["Properties"].update(ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]))
    yield changed("a function has another's role", lambda r, _: r["RefreshFunction"]["Properties"].update(Role={"Fn::GetAtt": "AdminFunctionRole.Arn"}))
    yield changed("a function may be entered by another service", lambda r, _: r["LoginFunctionRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0].update(Principal={"Service": "ec2.amazonaws.com"}))
    yield changed("refresh may read a secret", lambda r, _: statements(r, "Refresh").append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "AdminToken"}}))
    yield changed("a secret is in the environment", lambda r, _: r["AdminFunction"]["Properties"]["Environment"]["Variables"].update(ADMIN_TOKEN_SECRET={"Fn::Sub": "{{resolve:secretsmanager:${AdminToken}}}"}))
    yield changed("a variable is misspelt", lambda r, t: t["Globals"]["Function"]["Environment"]["Variables"].update(ROOT_CONTRAKT="kite"))
    yield changed("items never expire", lambda r, _: r["Table"]["Properties"].pop("TimeToLiveSpecification"))
    yield changed("the table goes with the stack", lambda r, _: r["Table"].update(DeletionPolicy="Delete"))
    yield changed("the table has a fixed name", lambda r, _: r["Table"]["Properties"].update(TableName="polygate"))
    yield changed("an index has another key", lambda r, _: r["Table"]["Properties"]["GlobalSecondaryIndexes"][0]["KeySchema"][1].update(AttributeName="sk"))
    yield changed("an index has only keys", lambda r, _: r["Table"]["Properties"]["GlobalSecondaryIndexes"][0].update(Projection={"ProjectionType": "KEYS_ONLY"}))
    yield changed("a function is built of another's program", lambda r, _: r["RegisterFunction"]["Metadata"]["BuildProperties"].update(Binary="login"))
    yield changed("a function is built with the development server", lambda r, _: r["LoginFunction"]["Properties"]["CodeUri"].update(Key="./bootstrap.zip"))
    yield changed("logs have no lines of requests", lambda r, _: r["LoginFunction"]["Properties"]["LoggingConfig"].update(ApplicationLogLevel="ERROR"))
    yield changed("an alarm looks elsewhere", lambda r, _: r["ServerErrorsAlarm"]["Properties"].update(Namespace="AWS/Lambda"))
    yield changed("an alarm waits for ever", lambda r, _: r["ServerErrorsAlarm"]["Properties"].update(Threshold=5_000_000))
    yield changed("an alarm looks for too little", lambda r, _: r["LatencyAlarm"]["Properties"].update(ComparisonOperator="LessThanThreshold"))
    yield changed("an alarm looks at the quickest", lambda r, _: r["LatencyAlarm"]["Properties"].update(ExtendedStatistic="p1"))
    yield changed("an alarm looks at one function alone", lambda r, _: [one["MetricStat"]["Metric"]["Dimensions"][0].update(Value={"Ref": "LoginFunction"}) for one in r["FunctionErrorsAlarm"]["Properties"]["Metrics"][1:]])
    yield changed("the dashboard shows what nobody counts", lambda r, _: r["Dashboard"]["Properties"].update(DashboardBody={"Fn::Sub": r["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].replace('"SignInFailures"', '"SigninFailures"')}))
    yield changed("JwksUrl is another's", lambda _, t: t["Outputs"]["JwksUrl"].update(Value="https://x/jwks"))
    yield changed("hosts need no certificate", lambda _, t: t["Rules"]["HostsNeedACertificate"]["Assertions"][0].update(Assert={"Fn::Equals": ["a", "a"]}))
    yield changed("anything may be the sender", lambda _, t: t["Parameters"]["MailFrom"].update(AllowedPattern=".*@.*"))
    yield changed("keys never hand over", lambda _, t: t["Parameters"]["KeyMaxAgeDays"].update(Default=0))
    yield changed("an alarm is missing", lambda r, _: r.pop("SignInFailuresAlarm"))
    yield changed("an alarm tells nobody", lambda r, _: r["MailFailuresAlarm"]["Properties"].pop("OKActions"))
    yield changed("logs are kept forever", lambda r, _: r["LoginLogs"]["Properties"].pop("RetentionInDays"))
    yield changed("the first password is a fixed one", lambda r, _: r["FirstPassword"]["Properties"].update(SecretString="admin"))
    yield changed("a parameter takes anything", lambda r, t: t["Parameters"]["KiteDomain"].pop("AllowedPattern"))


def found_out(sam):
    count = 0
    for what, template_ in worse(sam):
        try:
            as_it_comes(template_)
        except (Failure, KeyError, ValueError) as failure:
            print(f"  found out: {what}: {str(failure)[:110]}")
            count += 1
            continue
        raise Failure(f"not found out: {what}")
    return count


def main():
    try:
        sam = template()
        as_it_comes(copy.deepcopy(sam))
        print("  the translated template has what is meant")
        options(translated(copy.deepcopy(sam)))
        tracing(copy.deepcopy(sam))
        configurations()
        print("  parameters change what they should, and samconfig.toml agrees with itself")
        print(f"  moto made and gave back {made(translated(copy.deepcopy(sam)))}")
        print(f"template: as meant; {found_out(sam)} changes for the worse were found out")
        return 0
    except Failure as failure:
        print(f"template: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
