"""template.yaml as CloudFormation gets it: translated by aws-sam-translator, and resolved for given parameters."""

import logging
import pathlib
import re

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGION, ACCOUNT, STACK = "eu-central-1", "123456789012", "polygate"
GROUPS = ["login", "register", "refresh", "profile", "admin"]
NOTHING = object()

# The translator counts what it does and warns where nobody asks for the numbers.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


class Failure(Exception):
    """Something that is not as it should be, told in one line."""


def template():
    """template.yaml, with an address in S3 for the code of each function, as `sam package` writes one."""
    parsed = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "artefacts", "Key": f"{resource['Properties']['CodeUri']}bootstrap.zip"}
    return parsed


def translated(parsed, **given):
    """What the transform makes of it, which looks at some parameters by itself. Takes the parsed template apart."""
    return Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION)).translate(parsed, given)


class Stack:
    """The translated template with its parameters put in."""

    def __init__(self, cloudformation, parameters, name=STACK):
        self.template, self.name = cloudformation, name
        declared = cloudformation["Parameters"]
        if unknown := set(parameters) - set(declared):
            raise Failure(f"no such parameters: {sorted(unknown)}")
        self.parameters = {}
        for name, parameter in declared.items():
            value = parameters.get(name, parameter.get("Default"))
            if value is None:
                raise Failure(f"the parameter {name} has no default and was not given")
            pattern, allowed = parameter.get("AllowedPattern"), parameter.get("AllowedValues")
            if pattern and not re.fullmatch(pattern, str(value)):
                raise Failure(f"{name}={value!r} is not taken: {pattern}")
            if allowed and value not in allowed:
                raise Failure(f"{name}={value!r} is none of {allowed}")
            self.parameters[name] = str(value)
        conditions = cloudformation.get("Conditions", {})
        self.conditions = {}
        for name in conditions:
            self._condition(name)
        self.resources = {
            name: self.resolve(resource)
            for name, resource in cloudformation["Resources"].items()
            if "Condition" not in resource or self.conditions[resource["Condition"]]
        }
        self.outputs = {
            name: self.resolve(output["Value"])
            for name, output in cloudformation["Outputs"].items()
            if "Condition" not in output or self.conditions[output["Condition"]]
        }

    def of_type(self, kind):
        return {name: resource["Properties"] for name, resource in self.resources.items() if resource["Type"] == kind}

    def function(self, group):
        return self.resources[f"{group.capitalize()}Function"]["Properties"]

    def role(self, group):
        return self.resources[f"{group.capitalize()}FunctionRole"]["Properties"]

    def environment(self, group):
        """What the function finds in its environment."""
        return {name: str(value) for name, value in self.function(group)["Environment"]["Variables"].items()}

    def routes(self):
        """Path to group; `$default` among them."""
        found = {}
        for path, methods in self.resources["HttpApi"]["Properties"]["Body"]["paths"].items():
            if list(methods) != ["x-amazon-apigateway-any-method"]:
                raise Failure(f"{path} has methods of its own: {list(methods)}")
            reference = methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["$ref"]
            found[path.removeprefix("/") if path == "/$default" else path] = reference.rsplit("/", 1)[1]
        return found

    def groups(self):
        """The functions: those of the API, and the one that takes bounces in, where it is made."""
        return GROUPS + (["bounces"] if "BouncesFunction" in self.resources else [])

    def statements(self, group):
        """What the function's role says."""
        return [one for policy in self.role(group)["Policies"] for one in policy["PolicyDocument"]["Statement"]]

    def allowed(self, group):
        """What the function's role allows: (action, resource) pairs."""
        pairs = set()
        for statement in self.statements(group):
            if statement["Effect"] != "Allow":
                raise Failure(f"{group}: only what is allowed is compared, not {statement['Effect']}")
            actions, resources = ([one] if isinstance(one, str) else one for one in (statement["Action"], statement["Resource"]))
            pairs |= {(action, resource) for action in actions for resource in resources}
        return pairs

    def _condition(self, name):
        if name not in self.conditions:
            self.conditions[name] = self._true(self.template["Conditions"][name])
        return self.conditions[name]

    def _true(self, node):
        (function, of), = node.items()
        match function:
            case "Condition":
                return self._condition(of)
            case "Fn::Equals":
                return self.resolve(of[0]) == self.resolve(of[1])
            case "Fn::Not":
                return not self._true(of[0])
            case "Fn::And":
                return all(self._true(one) for one in of)
            case "Fn::Or":
                return any(self._true(one) for one in of)
        raise Failure(f"a condition that this script doesn't know: {function}")

    def _name(self, name):
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.name,
            "AWS::NoValue": NOTHING,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self.template["Resources"].get(name)
        if resource is None:
            raise Failure(f"there is nothing that is called {name}")
        if resource["Type"] in ("AWS::SNS::Topic", "AWS::SecretsManager::Secret"):
            return self._arn(name)
        return "$default" if resource["Type"] == "AWS::ApiGatewayV2::Stage" else name

    def _arn(self, name):
        kind = self.template["Resources"][name]["Type"].split("::")
        if kind[1:] == ["Logs", "LogGroup"]:
            return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"
        return f"arn:aws:{kind[1].lower()}:{REGION}:{ACCOUNT}:{name}"

    def _attribute(self, name, attribute):
        if name not in self.template["Resources"]:
            raise Failure(f"there is nothing that is called {name}")
        return self._arn(name) if attribute == "Arn" else f"{name}.{attribute}"

    def resolve(self, node):
        if isinstance(node, list):
            return [one for one in map(self.resolve, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, of), = node.items()
            match function:
                case "Ref":
                    return self._name(of)
                case "Fn::GetAtt":
                    name, attribute = of.split(".", 1) if isinstance(of, str) else of
                    return self._attribute(name, attribute)
                case "Fn::Sub":
                    def named(match):
                        name, _, attribute = match[1].partition(".")
                        return str(self._attribute(name, attribute) if attribute else self._name(name))

                    return re.sub(r"\$\{([^!}][^}]*)\}", named, of)
                case "Fn::If":
                    return self.resolve(of[1] if self._condition(of[0]) else of[2])
                case "Fn::Join":
                    return of[0].join(self.resolve(of[1]))
                case "Fn::Split":
                    return self.resolve(of[1]).split(of[0])
                case "Fn::Select":
                    return self.resolve(of[1])[int(of[0])]
        if bad := [key for key in node if key.startswith("Fn::")]:
            raise Failure(f"a function that this script doesn't know: {bad}")
        resolved = {key: self.resolve(value) for key, value in node.items() if key != "Condition" or not isinstance(value, str)}
        return {key: value for key, value in resolved.items() if value is not NOTHING}
