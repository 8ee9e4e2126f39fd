"""What the template's alarms and its dashboard look at: used by template_test.py."""

import json
import re

from stack import GROUPS, ROOT, STACK, Failure

FUNCTIONS = [f"{group.capitalize()}Function" for group in GROUPS]
API, OWN, TABLE = {"ApiId": "HttpApi"}, {"Stack": STACK}, {"TableName": "Table"}


def each(metric):
    return [("AWS/Lambda", metric, {"FunctionName": name}) for name in FUNCTIONS]


# What is looked at; of how many seconds, how often in a row, and how much is too much.
ALARMS = {
    "ServerErrorsAlarm": ([("AWS/ApiGateway", "5xx", API)], "Sum", 300, 1, "5"),
    "FunctionErrorsAlarm": (each("Errors"), "Sum", 300, 1, "0"),
    "ThrottlesAlarm": (each("Throttles"), "Sum", 300, 1, "0"),
    "TableThrottlesAlarm": ([("AWS/DynamoDB", f"{kind}ThrottleEvents", TABLE) for kind in ("Read", "Write")], "Sum", 300, 1, "0"),
    "LatencyAlarm": ([("AWS/ApiGateway", "Latency", API)], "p99", 300, 3, "3000"),
    "MailFailuresAlarm": ([("Polygate", "MailFailures", OWN)], "Sum", 900, 1, "2"),
    "SignInFailuresAlarm": ([("Polygate", "SignInFailures", OWN)], "Sum", 300, 1, "100"),
}
BOUNCES = {"BouncesErrorsAlarm": ([("AWS/Lambda", "Errors", {"FunctionName": "BouncesFunction"})], "Sum", 300, 1, "0")}

# What AWS counts under these names, by the kind of dimension.
OF_AWS = {
    ("AWS/ApiGateway", "ApiId"): {"Count", "4xx", "5xx", "Latency"},
    ("AWS/Lambda", "FunctionName"): {"Errors", "Throttles", "ConcurrentExecutions"},
    ("AWS/DynamoDB", "TableName"): {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"},
}


def dimensions(listed):
    return {one["Name"]: one["Value"] for one in listed}


def looked_at(alarm):
    """An alarm as ALARMS has them."""
    if "Metrics" not in alarm:
        metrics = [(alarm["Namespace"], alarm["MetricName"], dimensions(alarm["Dimensions"]))]
        statistic, period = alarm.get("Statistic") or alarm["ExtendedStatistic"], alarm["Period"]
    else:
        total, *parts = alarm["Metrics"]
        if total["Expression"] != "SUM(METRICS())" or [one["ReturnData"] for one in alarm["Metrics"]] != [True] + [False] * len(parts):
            raise Failure("an alarm of several metrics is not of their sum")
        parts = [one["MetricStat"] for one in parts]
        metrics = [(one["Metric"]["Namespace"], one["Metric"]["MetricName"], dimensions(one["Metric"]["Dimensions"])) for one in parts]
        [(statistic, period)] = {(one["Stat"], one["Period"]) for one in parts}
    return metrics, statistic, period, alarm["EvaluationPeriods"], str(alarm["Threshold"])


def alarms(stack, topic, expected=None):
    expected = expected or ALARMS
    found = stack.of_type("AWS::CloudWatch::Alarm")
    if set(found) != set(expected):
        raise Failure(f"the alarms: {sorted(found)}, not {sorted(expected)}")
    for name, alarm in found.items():
        if (is_ := looked_at(alarm)) != expected[name]:
            raise Failure(f"what {name} looks at: {is_}, not {expected[name]}")
        if alarm["ComparisonOperator"] != "GreaterThanThreshold":
            raise Failure(f"{name} does not look for too much")
        if (alarm["AlarmActions"], alarm["OKActions"]) != (topic, topic):
            raise Failure(f"whom {name} tells: {alarm['AlarmActions']}, {alarm['OKActions']}, not {topic}")
        if alarm["TreatMissingData"] != "notBreaching":
            raise Failure(f"{name} is raised by no data")


def dashboard(stack):
    board = json.loads(stack.resources["Dashboard"]["Properties"]["DashboardBody"])
    listed = next(one for one in board["widgets"] if one["type"] == "alarm")["properties"]["alarms"]
    if sorted(arn.rsplit(":", 1)[1] for arn in listed) != sorted(ALARMS):
        raise Failure(f"the alarms on the dashboard: {listed}")
    # The names that the line of log gives to metrics.
    own = set(re.findall(r'(?:count\(|name: )"(\w+)"', (ROOT / "shared/src/log/line.rs").read_text()))
    resources = {"ApiId": {"HttpApi"}, "FunctionName": set(FUNCTIONS), "TableName": {"Table"}, "Stack": {STACK}}
    for widget in board["widgets"]:
        for namespace, metric, kind, of, *_ in widget["properties"].get("metrics", []):
            known = own if (namespace, kind) == ("Polygate", "Stack") else OF_AWS.get((namespace, kind), set())
            if metric not in known or of not in resources[kind]:
                raise Failure(f"the dashboard shows what nobody counts: {namespace} {metric} of {kind} {of}")
