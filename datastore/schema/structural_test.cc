#include "datastore/schema/structural.h"

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/schema/node.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

json::Value yaml(std::string_view text) {
  const auto documents = json::parse_yaml(text).value();
  return documents.empty() ? json::Value() : documents[0].value;
}

StructuralSchema schema_of(std::string_view text) {
  auto schema = StructuralSchema::parse(yaml(text));
  EXPECT_TRUE(schema.ok()) << schema.error().message;
  return std::move(schema).value();
}

// A schema whose only member `v` is described by `text`.
StructuralSchema schema_of_v(std::string_view text) {
  json::Value root = json::Object{{"type", "object"}};
  root["properties"]["v"] = yaml(text);
  auto schema = StructuralSchema::parse(root);
  EXPECT_TRUE(schema.ok()) << schema.error().message << "\n" << text;
  return std::move(schema).value();
}

// "path: message; …", "" when valid.
std::string check(const StructuralSchema& schema, std::string_view object) {
  return to_string(schema.validate(yaml(object)));
}

TEST(Validate, EveryKeywordSaysWhatIsAllowed) {
  struct Case {
    const char* schema;
    const char* value;
    const char* errors;
  };
  const Case cases[] = {
      {"{type: string}", "a", ""},
      {"{type: string}", "1", "v: expected string, found integer 1; put it in quotes"},
      {"{type: string}", "[a]", "v: expected string, found array"},
      {"{type: integer}", "1", ""},
      {"{type: integer}", "1.0", ""},
      {"{type: integer}", "1.5", "v: expected integer, found number 1.5"},
      {"{type: integer}", "'1'", "v: expected integer, found string \"1\"; leave out the quotes"},
      {"{type: integer}", "a", "v: expected integer, found string \"a\""},
      {"{type: number}", "1", ""},
      {"{type: boolean}", "yes", "v: expected boolean, found string \"yes\""},
      {"{type: boolean}", "'true'", "v: expected boolean, found string \"true\"; leave out the quotes"},
      {"{type: object}", "a", "v: expected object, found string \"a\""},
      {"{type: array, items: {type: string}}", "{a: b}", "v: expected array, found object"},
      {"{type: array, items: {type: string}}", "[a, 1, b, null]",
       "v[1]: expected string, found integer 1; put it in quotes; v[3]: expected string, found null"},
      {"{type: array, items: {type: string, nullable: true}}", "[a, null]", ""},
      {"{type: string, enum: [Allow, Deny, '']}", "Alow", "v: \"Alow\" is not one of Allow, Deny, \"\""},
      {"{type: integer, enum: [1, 2]}", "2.0", ""},
      {"{type: string, pattern: '^[a-z]+$'}", "A1", "v: \"A1\" does not match ^[a-z]+$"},
      {"{type: string, pattern: 'b'}", "abc", ""},
      {"{type: string, minLength: 1}", "''", "v: must not be empty"},
      {"{type: string, minLength: 3, maxLength: 3}", "日本", "v: has 2 characters, at least 3 are needed"},
      {"{type: string, maxLength: 2}", "日本語", "v: has 3 characters, at most 2 are allowed"},
      {"{type: integer, minimum: 1, maximum: 3}", "0", "v: 0 is not from 1 to 3"},
      {"{type: integer, minimum: 1}", "0", "v: 0 is not at least 1"},
      {"{type: number, maximum: 1, exclusiveMaximum: true}", "1", "v: 1 is not below 1"},
      {"{type: number, minimum: 0, exclusiveMinimum: true, maximum: 1.5}", "2", "v: 2 is not above 0 and at most 1.5"},
      {"{type: integer, multipleOf: 8}", "12", "v: 12 is not a multiple of 8"},
      {"{type: integer, format: int32}", "2147483648", "v: 2147483648 does not fit 32 bits"},
      {"{type: integer, format: int64}", "9223372036854775808", "v: 9.223372036854776e+18 does not fit 64 bits"},
      {"{type: array, items: {type: integer}, minItems: 1, maxItems: 2}", "[]",
       "v: has 0 elements, at least 1 are needed"},
      {"{type: array, items: {type: integer}, maxItems: 2}", "[1, 2, 3]", "v: has 3 elements, at most 2 are allowed"},
      {"{type: object, minProperties: 1}", "{}", "v: has 0 members, at least 1 are needed"},
      {"{type: object, maxProperties: 1, additionalProperties: {type: string}}", "{a: x, b: y}",
       "v: has 2 members, at most 1 are allowed"},
      {"{type: object, additionalProperties: {type: string}}", "{a.b/c: 1, d: null}",
       "v[a.b/c]: expected string, found integer 1; put it in quotes"},
      {"{type: object, required: [a, b, c], properties: {a: {type: string}, b: {type: string}, c: {type: string, "
       "nullable: true}}}",
       "{b: null, c: null}", "v.a: is required; v.b: is required"},
      {"{type: array, x-kubernetes-list-type: set, items: {type: string}}", "[a, b, a]",
       "v[2]: \"a\" is there already at [0]"},
      {"{type: array, uniqueItems: true, items: {type: integer}}", "[1, 1.0]", "v[1]: 1 is there already at [0]"},
      {"{type: string, description: 'A colour, such as red. One of many.', pattern: "
       "'^(red|orange|yellow|green|blue|indigo|violet|black|white|grey)$'}",
       "pink", "v: \"pink\" has not the form of this field: A colour, such as red"},
      {"{x-kubernetes-int-or-string: true, pattern: '^[a-z]+$', maximum: 9}", "http", ""},
      {"{x-kubernetes-int-or-string: true, pattern: '^[a-z]+$', maximum: 9}", "8", ""},
      {"{x-kubernetes-int-or-string: true, pattern: '^[a-z]+$', maximum: 9}", "10", "v: 10 is not at most 9"},
      {"{x-kubernetes-int-or-string: true, pattern: '^[a-z]+$', maximum: 9}", "H", "v: \"H\" does not match ^[a-z]+$"},
      {"{x-kubernetes-int-or-string: true}", "1.5", "v: expected integer or string, found number 1.5"},
      {"{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}", "8", ""},
      {"{x-kubernetes-preserve-unknown-fields: true}", "[1, {a: b}]", ""},
      {"{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}", "{a: 1, b: 1}",
       "v.a: expected string, found integer 1; put it in quotes"},
      {"{type: integer, allOf: [{minimum: 2}, {multipleOf: 2}]}", "1",
       "v: 1 is not at least 2; v: 1 is not a multiple of 2"},
      {"{type: string, anyOf: [{format: ipv4}, {format: ipv6}]}", "x",
       "v: \"x\" has none of the allowed forms: \"x\" is not an IPv4 address such as 10.0.0.1; or \"x\" is not an IPv6 "
       "address such as fd00::1"},
      {"{type: string, anyOf: [{format: ipv4}, {format: ipv6}]}", "fd00::1", ""},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}], properties: {a: {type: string}, b: {type: string}}}",
       "{a: x}", ""},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}], properties: {a: {type: string}, b: {type: string}}}",
       "{a: x, b: y}", "v: an object has 2 forms of which only one is allowed"},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}], properties: {a: {type: string}}}", "{}",
       "v: an object has none of the allowed forms: a: is required; or b: is required"},
      {"{type: string, not: {enum: [x]}}", "x", "v: \"x\" has a form that is not allowed"},
      {"{type: string, x-kubernetes-validations: [{rule: 'false', message: never}]}", "x", ""},
      {"{type: string, x-something-new: 1}", "x", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(check(schema_of_v(c.schema), concat("v: ", c.value)), c.errors) << c.schema << " of " << c.value;
  }
}

TEST(Validate, FormatsAreThoseKubernetesChecks) {
  struct Case {
    const char* format;
    std::vector<const char*> good;
    std::vector<const char*> bad;
  };
  const Case cases[] = {
      {"ipv4",
       {"10.0.0.1", "255.255.255.255"},
       {"", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1/8", "::1", " 10.0.0.1"}},
      {"ipv6", {"::", "fd00::1", "::ffff:1.2.3.4"}, {"", "10.0.0.1", "fd00", "fd00::1::2", "fd00::g", "fe80::1%eth0"}},
      {"cidr",
       {"10.0.0.0/8", "::/0", "10.1.2.3/32"},
       {"", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/-1", "/8"}},
      {"date-time",
       {"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.123456Z", "2006-01-02t15:04:05+07:00", "2024-02-29T00:00:00Z"},
       {"", "2006-01-02", "2006-01-02T15:04:05", "2006-13-02T15:04:05Z", "2023-02-29T00:00:00Z", "2006-01-02T24:04:05Z",
        "2006-01-02 15:04:05Z", "2006-01-02T15:04:05.Z", "2006-01-02T15:04:05+0700", "2006-01-02T15:04:05Zx"}},
      {"date", {"2006-01-02"}, {"2006-1-2", "2006-00-01", "2006-04-31", "20060102"}},
      {"duration", {"0", "10s", "1h30m", "1.5h", "-2ms", "100µs"}, {"", "10", "s", "1x", "1..5s", "1 s", "h1"}},
      {"mac", {"02:00:00:00:00:01", "AA-bb-cc-dd-ee-ff"}, {"", "02:00:00:00:00", "02:00:00:00:00:0g"}},
      {"byte", {"", "aGk=", "YQ==", "YWJj"}, {"aGk", "a===", "a b="}},
      {"uuid", {"123e4567-e89b-12d3-a456-426614174000"}, {"", "123e4567e89b12d3a456426614174000"}},
      {"something-else", {"anything"}, {}},
  };
  for (const Case& c : cases) {
    const StructuralSchema schema = schema_of_v(concat("{type: string, format: ", c.format, "}"));
    const auto errors_of = [&](const char* text) { return schema.validate(json::Object{{"v", text}}); };
    for (const char* text : c.good) EXPECT_THAT(errors_of(text), IsEmpty()) << c.format << " " << text;
    for (const char* text : c.bad) EXPECT_THAT(errors_of(text), SizeIs(1)) << c.format << " " << text;
  }
}

constexpr std::string_view kPorts = R"(
type: array
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [port, protocol]
items:
  type: object
  required: [port]
  properties:
    port: {type: integer}
    protocol: {type: string, default: TCP}
    name: {type: string}
)";

TEST(Validate, ListMapsHaveUniqueKeys) {
  const StructuralSchema schema = schema_of_v(kPorts);
  EXPECT_EQ(check(schema, "v: [{port: 1}, {port: 1, protocol: UDP}, {port: 2}]"), "");
  EXPECT_EQ(check(schema, "v: [{port: 1}, {port: 1, protocol: TCP}]"),
            "v[1]: an element with port 1, protocol \"TCP\" is there already at [0]");
  EXPECT_EQ(check(schema, "v: [{name: a}]"), "v[0].port: is required");
  const StructuralSchema named = schema_of_v(
      "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, "
      "properties: {name: {type: string}}}}");
  EXPECT_EQ(check(named, "v: [{}]"), "v[0].name: is required: it tells the elements of the list apart");
}

TEST(Validate, EveryErrorAtOnceInTheOrderOfTheDocument) {
  const StructuralSchema schema = schema_of(
      "{type: object, required: [spec], properties: {metadata: {type: object, properties: {name: {type: string, "
      "pattern: '^a'}}}, "
      "spec: {type: object, properties: {a: {type: string}, b: {type: integer}, c: {type: array, items: {type: object, "
      "required: [x], properties: {x: {type: string}}}}}}}}");
  const FieldErrors errors =
      schema.validate(yaml("{apiVersion: 1, metadata: {name: b}, spec: {c: [{}, {x: 1}], b: x, a: 1}}"));
  std::vector<std::string> paths;
  std::vector<FieldError::Kind> kinds;
  for (const FieldError& error : errors) {
    paths.push_back(error.path);
    kinds.push_back(error.kind);
  }
  EXPECT_THAT(paths, ElementsAre("metadata.name", "spec.c[0].x", "spec.c[1].x", "spec.b", "spec.a"));
  using Kind = FieldError::Kind;
  EXPECT_THAT(kinds,
              ElementsAre(Kind::kInvalid, Kind::kRequired, Kind::kTypeInvalid, Kind::kTypeInvalid, Kind::kTypeInvalid));
  EXPECT_EQ(to_string(schema.validate(json::Array{})), "expected object, found array");
  EXPECT_EQ(to_string(schema.validate(json::Object{})), "spec: is required");
}

TEST(Validate, ErrorsAreBoundedAndShort) {
  json::Array many;
  for (int i = 0; i < 10'000; ++i) many.push_back(i);
  const StructuralSchema schema = schema_of_v("{type: array, items: {type: string}}");
  const FieldErrors errors = schema.validate(json::Object{{"v", many}});
  EXPECT_LE(errors.size(), 201U);
  EXPECT_THAT(errors.back().message, HasSubstr("more than 200 errors"));
  const FieldErrors twins = schema_of_v("{type: array, x-kubernetes-list-type: set, items: {type: integer}}")
                                .validate(json::Object{{"v", json::Array(10'000, 1)}});
  EXPECT_LE(twins.size(), 201U);
  const FieldErrors text = schema_of_v("{type: integer}").validate(json::Object{{"v", std::string(100'000, 'x')}});
  EXPECT_LT(text.at(0).message.size(), 200U);
}

constexpr std::string_view kNested = R"(
type: object
properties:
  apiVersion: {type: string}
  kind: {type: string}
  metadata: {type: object}
  spec:
    type: object
    properties:
      nodeSelector: {type: string}
      natOutgoing: {type: boolean}
      list: {type: array, items: {type: object, properties: {action: {type: string}}}}
      map: {type: object, additionalProperties: {type: object, properties: {a: {type: string}}}}
      open: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {in: {type: object, properties: {a: {type: string}}}}}
      closed: {type: object}
      whole: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
)";
constexpr std::string_view kMisspelt = R"(
apiVersion: v1
kind: K
metadata: {name: a, labels: {x: y}}
stauts: {}
spec:
  nodeSelctor: all()
  NATOutgoing: true
  wholly: 1
  list: [{actoin: Allow, action: Deny}, {}]
  map: {k1: {a: x}, k2: {b: x}}
  open: {anything: {goes: here}, in: {a: x, z: x}}
  closed: {a: b}
  whole: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {a: b}, other: 1}
)";

TEST(UnknownFields, SuggestTheNearestName) {
  const FieldErrors errors = schema_of(kNested).unknown_fields(yaml(kMisspelt));
  std::vector<std::string> lines;
  for (const FieldError& error : errors) lines.push_back(error.path + ": " + error.message);
  EXPECT_THAT(lines,
              ElementsAre("stauts: unknown field; there are apiVersion, kind, metadata, spec",
                          "spec.nodeSelctor: unknown field, did you mean \"nodeSelector\"?",
                          "spec.NATOutgoing: unknown field, did you mean \"natOutgoing\"?",
                          "spec.wholly: unknown field, did you mean \"whole\"?",
                          "spec.list[0].actoin: unknown field, did you mean \"action\"?",
                          "spec.map.k2.b: unknown field; there are a", "spec.open.in.z: unknown field; there are a",
                          "spec.closed.a: unknown field", "spec.whole.spec.a: unknown field",
                          "spec.whole.other: unknown field; there are spec"));
}

TEST(UnknownFields, OneThatIsIndentedTooFarIsToldItsPlace) {
  const FieldErrors errors = schema_of(kNested).unknown_fields(
      yaml("spec: {list: [{action: Deny, nodeSelector: all()}], map: {k: {list: []}}}"));
  EXPECT_EQ(to_string(errors),
            "spec.list[0].nodeSelector: unknown field here; it is one of spec: indented too far?; "
            "spec.map.k.list: unknown field here; it is one of spec: indented too far?");
}

TEST(ValidateChange, OnlyWhatMayNotChangeAndOnlyWhereBothHaveIt) {
  const StructuralSchema schema = schema_of_v(
      "{type: object, properties: {a: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}, b: {type: "
      "object, properties: {c: {type: integer, x-kubernetes-validations: [{rule: 'self > 0'}, {rule: self == oldSelf, "
      "message: stays}]}}}}}");
  const auto change = [&](const char* before, const char* after) {
    return to_string(schema.validate_change(yaml(concat("v: ", before)), yaml(concat("v: ", after))));
  };
  EXPECT_EQ(change("{a: x, b: {c: 1}}", "{a: x, b: {c: 1}}"), "");
  EXPECT_EQ(change("{a: x, b: {c: 1}}", "{a: y, b: {c: 2}}"),
            "v.a: found \"y\", was \"x\": cannot be changed; v.b.c: found 2, was 1: stays");
  EXPECT_EQ(change("{}", "{a: y, b: {c: 2}}"), "") << "there was none";
  EXPECT_EQ(change("{a: x}", "{b: {}}"), "") << "there is none";
}

TEST(Prune, RemovesWhatIsNotDeclared) {
  const StructuralSchema schema = schema_of(kNested);
  json::Value object = yaml(kMisspelt);
  const std::vector<std::string> removed = schema.prune(object);
  EXPECT_THAT(removed,
              ElementsAre("stauts", "spec.nodeSelctor", "spec.NATOutgoing", "spec.wholly", "spec.list[0].actoin",
                          "spec.map.k2.b", "spec.open.in.z", "spec.closed.a", "spec.whole.spec.a", "spec.whole.other"));
  EXPECT_EQ(object,
            yaml("{apiVersion: v1, kind: K, metadata: {name: a, labels: {x: y}}, spec: {list: [{action: Deny}, {}], "
                 "map: {k1: {a: x}, k2: {}}, open: {anything: {goes: here}, in: {a: x}}, closed: {}, "
                 "whole: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {}}}}"));
  EXPECT_THAT(schema.unknown_fields(object), IsEmpty());
  EXPECT_THAT(schema.prune(object), IsEmpty());
}

TEST(Defaults, FillInWhatIsAbsentOrNull) {
  const StructuralSchema schema = schema_of(R"(
type: object
properties:
  spec:
    type: object
    default: {}
    properties:
      tier: {type: string, default: default}
      order: {type: number}
      maybe: {type: string, nullable: true, default: x}
      deep: {type: object, default: {a: 1}, properties: {a: {type: integer, default: 5}, b: {type: integer, default: 6}}}
      ports: {type: array, items: {type: object, properties: {protocol: {type: string, default: TCP}}}}
      map: {type: object, additionalProperties: {type: object, properties: {on: {type: boolean, default: true}}}}
)");
  const auto filled = [&](std::string_view text) {
    json::Value object = yaml(text);
    schema.apply_defaults(object);
    return object;
  };
  EXPECT_EQ(filled("{metadata: {name: a}}"),
            yaml("{metadata: {name: a}, spec: {tier: default, maybe: x, deep: {a: 1, b: 6}}}"));
  EXPECT_EQ(filled("{spec: {tier: null, order: null, maybe: null, deep: {b: null}, ports: [{}, {protocol: UDP}], map: "
                   "{k: {}, n: null}}}"),
            yaml("{spec: {tier: default, maybe: null, deep: {a: 5, b: 6}, ports: [{protocol: TCP}, {protocol: UDP}], "
                 "map: {k: {on: true}}}}"));
  EXPECT_EQ(filled("{spec: text}"), yaml("{spec: text}"));
}

TEST(Schema, WhatIsNotStructuralIsRefused) {
  struct Case {
    const char* schema;
    const char* message;
  };
  const Case cases[] = {
      {"{type: string}", "the root of the schema is no object"},
      {"{type: object, properties: {a: {}}}", "a: type is missing"},
      {"{type: object, properties: {a: {type: strin}}}", "a: type: \"strin\" is not one of"},
      {"{type: object, properties: {a: {type: [string]}}}", "a: type: [\"string\"] is not one of"},
      {"{type: object, properties: {a: {type: string, patern: x}}}", "a: unknown keyword \"patern\""},
      {"{type: object, properties: {a: {type: string, $ref: x}}}", "a: unknown keyword \"$ref\""},
      {"{type: object, properties: {a: {type: string, pattern: '('}}}", "a: pattern: bad pattern \"(\""},
      {"{type: object, properties: {a: {type: array}}}", "a: items of the array are missing"},
      {"{type: object, properties: {a: {type: string, items: {type: string}}}}", "a: items outside of an array"},
      {"{type: object, properties: {a: {type: string, properties: {b: {type: string}}}}}",
       "a: properties outside of an object"},
      {"{type: object, properties: {a: {type: string}}, additionalProperties: {type: string}}", "exclude each other"},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, items: {type: object}}}}",
       "go together"},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], "
       "items: "
       "{type: object}}}}",
       "a: key \"k\" of the list is not declared"},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], "
       "items: "
       "{type: string}}}}",
       "a: a list of type map has objects as items"},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: bag, items: {type: string}}}}",
       "is not one of atomic, set, map"},
      {"{type: object, properties: {a: {type: string, minLength: -1}}}", "a: minLength: expected a count, found -1"},
      {"{type: object, properties: {a: {type: string, nullable: 1}}}", "a: nullable: expected boolean, found integer"},
      {"{type: object, properties: {a: {type: array, items: {type: object, properties: {b: 1}}}}}",
       "a[*].b: expected a schema, found integer"},
      {"{type: object, properties: [a]}", "properties: expected object, found array"},
      {"{type: object, anyOf: {}}", "are arrays"},
      {"[]", "expected a schema, found array"},
  };
  for (const Case& c : cases) {
    const auto schema = StructuralSchema::parse(yaml(c.schema));
    ASSERT_FALSE(schema.ok()) << c.schema;
    EXPECT_THAT(schema.error().message, HasSubstr(c.message)) << c.schema;
  }
}

TEST(Schema, NodesAreFoundByPath) {
  const StructuralSchema schema = schema_of(kNested);
  EXPECT_EQ(schema.at("")->type, NodeType::kObject);
  EXPECT_EQ(type_name(*schema.at("spec.list")), "array");
  EXPECT_EQ(type_name(*schema.at("spec.list.action")), "string");
  EXPECT_EQ(type_name(*schema.at("spec.list[3].action")), "string");
  EXPECT_EQ(type_name(*schema.at("spec.map.anything.a")), "string");
  EXPECT_EQ(schema.at("spec.nosuch"), nullptr);
  EXPECT_EQ(schema.at("spec.nodeSelector.deeper"), nullptr);
  EXPECT_EQ(schema.at("."), nullptr);
}

}  // namespace
}  // namespace margay::schema
