#!/usr/bin/env python3
"""Checks of crds/*.yaml that no API server makes. Prints FILE: PATH: PROBLEM for each; exits 1 if there is any."""

import json
import pathlib
import re
import subprocess
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
FORMATS = {"int32", "int64", "date-time"}
LIST_TYPES = {"atomic", "set", "map"}
KEYWORDS = {"description", "type", "x-kubernetes-int-or-string", "format", "nullable", "default", "enum", "pattern",
            "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
            "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
            "x-kubernetes-validations", "required", "items", "additionalProperties", "properties"}
ONLY_FOR = {"pattern": "string", "minLength": "string", "maxLength": "string", "minimum": "number",
            "maximum": "number", "minItems": "array", "maxItems": "array", "x-kubernetes-list-type": "array",
            "x-kubernetes-list-map-keys": "array", "items": "array", "minProperties": "object",
            "maxProperties": "object", "required": "object", "properties": "object", "additionalProperties": "object",
            "x-kubernetes-map-type": "object"}
# CEL that every API server from 1.25 on compiles: no library beyond the language itself.
CEL_LIBRARY = re.compile(r"\b(isIP|isCIDR|ip|cidr|split|indexOf|lowerAscii|substring|replace|isSorted|sum|url|quantity"
                         r"|find|findAll|optional|orValue|format)\(")
# Words of CEL, which as names of members are written __word__.
CEL_WORD = re.compile(r"\.(as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null"
                      r"|package|return|true|var|void|while)\b")
# As JSON without spaces. kubectl apply keeps a copy in an annotation, which can hold 262144 bytes; keep far away from that.
MAX_BYTES = 60_000
# Patterns have to be RE2 and, for other engines, free of what engines differ in.
FORBIDDEN_IN_PATTERN = re.compile(r"\(\?|\\[dDwWsSbBAzZpP1-9]|[*+?}][+?]|\{,")
INHERITED = {"FelixConfiguration", "BGPConfiguration"}
REPORTED = {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "BGPConfiguration", "BGPFilter", "BGPPeer", "CalicoNodeStatus", "ClusterNetworkPolicy",
            "FelixConfiguration", "GlobalNetworkPolicy", "GlobalNetworkSet", "HostEndpoint", "IPPool",
            "KubeControllersConfiguration", "NetworkPolicy", "NetworkSet", "StagedGlobalNetworkPolicy",
            "StagedKubernetesNetworkPolicy", "StagedNetworkPolicy", "Tier"}


def violations(schema, value, path=""):
    """What is wrong with `value`, as (path, text)."""
    if value is None:
        return [] if schema.get("nullable") else [(path, "is null")]
    found = []
    if schema.get("x-kubernetes-int-or-string"):
        right = isinstance(value, (int, str)) and not isinstance(value, bool)
    else:
        right = isinstance(value, TYPES[schema["type"]])
        if isinstance(value, bool) and schema["type"] in ("integer", "number"):
            right = False
    if not right:
        return [(path, f"{value!r} has the wrong type")]
    if "enum" in schema and value not in schema["enum"]:
        found.append((path, f"{value!r} is not one of {schema['enum']}"))
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append((path, f"{value!r} does not match the pattern"))
        length, what = len(value), "Length"
    elif isinstance(value, list):
        length, what = len(value), "Items"
        for index, item in enumerate(value):
            found += violations(schema["items"], item, f"{path}[{index}]")
        kind = schema.get("x-kubernetes-list-type")
        keys = [tuple(item.get(key) for key in schema["x-kubernetes-list-map-keys"]) for item in value] \
            if kind == "map" else value
        if kind in ("set", "map") and len({repr(key) for key in keys}) != len(keys):
            found.append((path, "has an item twice"))
    elif isinstance(value, dict):
        length, what = len(value), "Properties"
        for name in schema.get("required", []):
            if name not in value:
                found.append((f"{path}.{name}", "is required"))
        for name, member in value.items():
            if name in schema.get("properties", {}):
                found += violations(schema["properties"][name], member, f"{path}.{name}")
            elif "additionalProperties" in schema:
                found += violations(schema["additionalProperties"], member, f"{path}[{name}]")
            else:
                found.append((f"{path}.{name}", "is not declared"))
    else:
        length, what = None, None
    if length is not None:
        if length < schema.get("min" + what, length):
            found.append((path, f"is shorter than min{what}"))
        if length > schema.get("max" + what, length):
            found.append((path, f"is longer than max{what}"))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            found.append((path, f"{value} is out of range"))
    return found


def apply_defaults(schema, value):
    """`value` with defaults filled in, in place."""
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name not in value and "default" in child:
                value[name] = child["default"]
            if name in value:
                apply_defaults(child, value[name])
        for name in value.keys() - schema.get("properties", {}).keys():
            if "additionalProperties" in schema:
                apply_defaults(schema["additionalProperties"], value[name])
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            apply_defaults(schema["items"], item)
    return value


class File:
    def __init__(self, path):
        self.path = path
        self.problems = []
        self.text = path.read_text(encoding="utf-8")
        self.crd = yaml.safe_load(self.text)

    def problem(self, where, text):
        self.problems.append(f"{self.path.relative_to(HERE.parent)}: {where}: {text}")

    def check(self):
        crd, spec = self.crd, self.crd["spec"]
        names = spec["names"]
        if not self.text.startswith("# Generated by crds/generate.py"):
            self.problem("(file)", "has no header that says what it is made from")
        if len(json.dumps(crd, separators=(",", ":"))) > MAX_BYTES:
            self.problem("(file)", f"is larger than {MAX_BYTES} bytes as JSON")
        if crd["apiVersion"] != "apiextensions.k8s.io/v1" or crd["kind"] != "CustomResourceDefinition":
            self.problem("kind", "is not a CustomResourceDefinition of apiextensions.k8s.io/v1")
        if names["plural"] != self.path.stem:
            self.problem("spec.names.plural", "is not the file's name")
        if crd["metadata"]["name"] != names["plural"] + "." + spec["group"]:
            self.problem("metadata.name", "is not plural.group")
        if names["singular"] != names["kind"].lower() or names["listKind"] != names["kind"] + "List":
            self.problem("spec.names", "singular or listKind does not follow from kind")
        if names["categories"] != ["netctl", "all-net"]:
            self.problem("spec.names.categories", "is not [netctl, all-net]")
        if spec["scope"] not in ("Cluster", "Namespaced"):
            self.problem("spec.scope", "is neither Cluster nor Namespaced")
        if len(spec["versions"]) != 1:
            self.problem("spec.versions", "has to be one")
        version = spec["versions"][0]
        if not version["served"] or not version["storage"]:
            self.problem("spec.versions[0]", "has to be served and stored")
        schema = version["schema"]["openAPIV3Schema"]
        self.check_schema(schema, "")
        has_status = "status" in schema["properties"]
        if has_status != ("status" in version.get("subresources", {})):
            self.problem("status", "the field and the subresource go together")
        if has_status != (names["kind"] in REPORTED):
            self.problem("status", "is not what this test lists")
        self.check_columns(version["additionalPrinterColumns"], schema)

    def check_schema(self, node, path):
        where = path or "(root)"
        if path == ".metadata":
            if set(node) - {"type", "properties"} or set(node.get("properties", {})) - {"name"}:
                self.problem(where, "can only restrict the name")
            node = {**node, "description": "-", "properties": node.get("properties", {"name": None})}
            if node["properties"]["name"] is None:
                return
        for keyword in node.keys() - KEYWORDS:
            self.problem(where, f"unknown keyword {keyword}")
        if not node.get("description", "").strip():
            self.problem(where, "has no description")
        elif path and node["description"] != "-" and not node["description"].endswith("."):
            self.problem(where, "the description does not end with a full stop")
        anything = node.get("x-kubernetes-int-or-string", False)
        kind = node.get("type")
        if anything == ("type" in node):
            self.problem(where, "needs either a type or x-kubernetes-int-or-string")
        elif not anything and kind not in TYPES:
            self.problem(where, f"unknown type {kind}")
        kinds = {"string", "number"} if anything else {"number" if kind == "integer" else kind}
        for keyword, only in ONLY_FOR.items():
            if keyword in node and only not in kinds:
                self.problem(where, f"{keyword} is not for {kind}")
        if "format" in node and node["format"] not in FORMATS:
            self.problem(where, f"format {node['format']} is not checked by all of our servers; use a pattern")
        if "pattern" in node:
            self.check_pattern(where, node["pattern"])
        for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"),
                          ("minProperties", "maxProperties")):
            if low in node and high in node and node[low] > node[high]:
                self.problem(where, f"{low} is above {high}")
        if "default" in node:
            for at, text in violations(node, apply_defaults(node, node["default"])):
                self.problem(where, f"its default{at} {text}")
            if self.crd["spec"]["names"]["kind"] in INHERITED:
                self.problem(where, "fields of this kind are inherited when unset, so they cannot have a default")
        for index, value in enumerate(node.get("enum", [])):
            if not isinstance(value, TYPES.get(kind, object)):
                self.problem(where, f"enum[{index}] is not of type {kind}")
        for validation in node.get("x-kubernetes-validations", []):
            if set(validation) != {"rule", "message"}:
                self.problem(where, "validations have rule and message, as older servers know no more")
            if CEL_LIBRARY.search(validation["rule"]):
                self.problem(where, f"not all servers have the functions of: {validation['rule']}")
            if CEL_WORD.search(validation["rule"]):
                self.problem(where, f"a member's name has to be escaped in: {validation['rule']}")
        if kind == "array":
            self.check_array(node, where)
        if kind == "object":
            if ("properties" in node) == ("additionalProperties" in node):
                self.problem(where, "needs either properties or additionalProperties")
            for name in node.get("required", []):
                if name not in node.get("properties", {}):
                    self.problem(where, f"requires {name}, which is not declared")
        for name, child in node.get("properties", {}).items():
            self.check_schema(child, f"{path}.{name}")
        if "items" in node:
            self.check_schema(node["items"], path + "[]")
        if "additionalProperties" in node:
            self.check_schema(node["additionalProperties"], path + "{}")

    def check_array(self, node, where):
        list_type = node.get("x-kubernetes-list-type")
        items = node.get("items", {})
        if list_type not in LIST_TYPES:
            self.problem(where, "needs x-kubernetes-list-type")
        if "items" not in node:
            self.problem(where, "needs items")
        if list_type == "set" and (items.get("type") in ("object", "array") or "type" not in items):
            self.problem(where, "only scalars can be a set")
        keys = node.get("x-kubernetes-list-map-keys", [])
        if (list_type == "map") != bool(keys):
            self.problem(where, "x-kubernetes-list-map-keys goes with list type map")
        for key in keys:
            if key not in items.get("required", []):
                self.problem(where, f"key {key} has to be required")

    def check_pattern(self, where, pattern):
        if not (pattern.startswith("^") and pattern.endswith("$")):
            self.problem(where, "the pattern is not anchored")
        elif re.match(r"^\^[^(]*\|", pattern):
            self.problem(where, "the pattern's alternatives are not in brackets, so not all are anchored")
        doubtful = FORBIDDEN_IN_PATTERN.search(re.sub(r"\[\^?[^\]]*\]", "x", pattern))
        if doubtful:
            self.problem(where, f"engines differ in what they make of {doubtful.group()}")
        try:
            re.compile(pattern)
        except re.error as error:
            self.problem(where, f"bad pattern: {error}")

    def check_columns(self, columns, schema):
        if columns[-1]["name"] != "Age":
            self.problem("additionalPrinterColumns", "Age is not last")
        if len({column["name"] for column in columns}) != len(columns):
            self.problem("additionalPrinterColumns", "a name occurs twice")
        for column in columns:
            where = f"column {column['name']}"
            if set(column) - {"name", "type", "jsonPath", "description", "priority"} or not column["description"]:
                self.problem(where, "has members missing or in excess")
            path = column["jsonPath"]
            if not re.match(r"^(\.[A-Za-z0-9]+)+$", path):
                self.problem(where, "the path is not made of plain names")
            if path.startswith(".metadata."):
                continue
            node = schema
            for name in path[1:].split("."):
                node = node.get("properties", {}).get(name)
                if node is None:
                    self.problem(where, f"{path} is not declared")
                    break
            else:
                kind = "date" if node.get("format") == "date-time" else node.get("type", "string")
                if column["type"] != ("string" if kind in ("array", "object") else kind):
                    self.problem(where, f"is of type {column['type']}, the field of type {kind}")


def shared_parts(files):
    """The pieces that have to be the same wherever they occur, as (name, place, schema)."""
    places = {"condition": ["status.conditions"],
              "rule": ["spec.ingress.[]", "spec.egress.[]"],
              "entity rule": [f"spec.{way}.[].{side}" for way in ("ingress", "egress")
                              for side in ("source", "destination")],
              "types": ["spec.types"], "tier": ["spec.tier"], "selector": ["spec.selector"],
              "nets": ["spec.nets"]}
    policies = {"NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "Profile"}
    for file in files:
        schema = file.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for name, paths in places.items():
            for path in paths:
                if name not in ("condition", "nets") and file.crd["spec"]["names"]["kind"] not in policies:
                    continue
                node = schema
                for step in path.split("."):
                    node = node.get("items") if step == "[]" else node.get("properties", {}).get(step)
                    if node is None:
                        break
                if node is not None:
                    if name == "entity rule":
                        node = {key: value for key, value in node.items() if key != "description"}
                    yield name, file, path, node


def main():
    files = [File(path) for path in sorted(HERE.glob("*.yaml"))]
    problems = []
    for file in files:
        try:
            file.check()
        except (KeyError, TypeError) as error:
            file.problem("(file)", f"cannot be read: {type(error).__name__}: {error}")
        problems += file.problems

    first = {}
    for name, file, path, node in shared_parts(files):
        text = yaml.safe_dump(node)
        if text != first.setdefault(name, (text, file))[0]:
            problems.append(f"{file.path.relative_to(HERE.parent)}: {path}: the {name} is not that of {first[name][1].path.name}")
    for wanted in ("condition", "rule", "entity rule"):
        if wanted not in first:
            problems.append(f"crds: (all): no {wanted} found; is this test out of date?")

    owners = {}
    for file in files:
        spec, annotations = file.crd["spec"], file.crd["metadata"].get("annotations", {})
        names = spec["names"]
        for name in ([names["plural"], names["singular"]] + names.get("shortNames", []) +
                     [alias for alias in annotations.get("margay.dev/aliases", "").split(",") if alias]):
            if not re.match(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", name):
                problems.append(f"{file.path.name}: names: {name} is no name")
            if owners.setdefault(name, file.path.name) != file.path.name:
                problems.append(f"{file.path.name}: names: {name} is also {owners[name]}'s")

    if subprocess.run([sys.executable, HERE / "generate.py", "--check"], check=False).returncode:
        problems.append("crds: (all): out of date; run crds/generate.py")
    print("\n".join(problems) if problems else f"{len(files)} definitions: all checks passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
