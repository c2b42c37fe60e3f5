#include "datastore/server/protobuf_body.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "base/core/base64.h"
#include "base/core/text.h"

namespace margay::server {
namespace {

using json::Value;

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kDepthMax = 16;

enum class Wire : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

enum class Shape { kString, kBytes, kInteger, kBool, kMessage, kTime, kStringMap, kBytesMap, kIgnored };

struct Message;

struct Field {
  std::uint32_t number;
  const char* name;
  Shape shape;
  bool is_repeated = false;
  const Message* message = nullptr;
};

struct Message {
  const char* name;
  std::vector<Field> fields;
};

// Takes varints and pieces off the front.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool is_at_end() const { return bytes_.empty(); }

  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    return invalid("protobuf: a number is cut short or too long");
  }

  Result<std::string_view> piece() {
    MARGAY_ASSIGN_OR_RETURN(const std::uint64_t size, varint());
    if (size > bytes_.size()) return invalid("protobuf: a field is longer than the message it is in");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view bytes_;
};

const Message& owner_reference() {
  static const Message message{"OwnerReference",
                               {{1, "kind", Shape::kString},
                                {3, "name", Shape::kString},
                                {4, "uid", Shape::kString},
                                {5, "apiVersion", Shape::kString},
                                {6, "controller", Shape::kBool},
                                {7, "blockOwnerDeletion", Shape::kBool}}};
  return message;
}

const Message& object_meta() {
  static const Message message{"ObjectMeta",
                               {{1, "name", Shape::kString},
                                {2, "generateName", Shape::kString},
                                {3, "namespace", Shape::kString},
                                {4, "selfLink", Shape::kIgnored},
                                {5, "uid", Shape::kString},
                                {6, "resourceVersion", Shape::kString},
                                {7, "generation", Shape::kInteger},
                                {8, "creationTimestamp", Shape::kTime},
                                {9, "deletionTimestamp", Shape::kTime},
                                {10, "deletionGracePeriodSeconds", Shape::kInteger},
                                {11, "labels", Shape::kStringMap},
                                {12, "annotations", Shape::kStringMap},
                                {13, "ownerReferences", Shape::kMessage, true, &owner_reference()},
                                {14, "finalizers", Shape::kString, true},
                                {17, "managedFields", Shape::kIgnored}}};
  return message;
}

const Message& object_reference() {
  static const Message message{"ObjectReference",
                               {{1, "kind", Shape::kString},
                                {2, "namespace", Shape::kString},
                                {3, "name", Shape::kString},
                                {4, "uid", Shape::kString},
                                {5, "apiVersion", Shape::kString},
                                {6, "resourceVersion", Shape::kString},
                                {7, "fieldPath", Shape::kString}}};
  return message;
}

// k8s.io/api/authorization/v1: what a client asks about itself.
const Message& access_question() {
  static const Message resource{"ResourceAttributes",
                                {{1, "namespace", Shape::kString},
                                 {2, "verb", Shape::kString},
                                 {3, "group", Shape::kString},
                                 {4, "version", Shape::kString},
                                 {5, "resource", Shape::kString},
                                 {6, "subresource", Shape::kString},
                                 {7, "name", Shape::kString},
                                 {8, "fieldSelector", Shape::kIgnored},
                                 {9, "labelSelector", Shape::kIgnored}}};
  static const Message path{"NonResourceAttributes", {{1, "path", Shape::kString}, {2, "verb", Shape::kString}}};
  static const Message message{"SelfSubjectAccessReviewSpec",
                               {{1, "resourceAttributes", Shape::kMessage, false, &resource},
                                {2, "nonResourceAttributes", Shape::kMessage, false, &path}}};
  return message;
}

// The kinds that are understood; nullptr for others.
const Message* message_of(std::string_view kind) {
  static const Message rules_question{"SelfSubjectRulesReviewSpec", {{1, "namespace", Shape::kString}}};
  static const Message namespace_spec{"NamespaceSpec", {{1, "finalizers", Shape::kString, true}}};
  static const Message namespace_status{"NamespaceStatus", {{1, "phase", Shape::kString}}};
  static const Message local_reference{"LocalObjectReference", {{1, "name", Shape::kString}}};
  static const std::vector<Message> kinds{
      {"Namespace",
       {{1, "metadata", Shape::kMessage, false, &object_meta()},
        {2, "spec", Shape::kMessage, false, &namespace_spec},
        {3, "status", Shape::kMessage, false, &namespace_status}}},
      {"ServiceAccount",
       {{1, "metadata", Shape::kMessage, false, &object_meta()},
        {2, "secrets", Shape::kMessage, true, &object_reference()},
        {3, "imagePullSecrets", Shape::kMessage, true, &local_reference},
        {4, "automountServiceAccountToken", Shape::kBool}}},
      {"ConfigMap",
       {{1, "metadata", Shape::kMessage, false, &object_meta()},
        {2, "data", Shape::kStringMap},
        {3, "binaryData", Shape::kBytesMap},
        {4, "immutable", Shape::kBool}}},
      {"Secret",
       {{1, "metadata", Shape::kMessage, false, &object_meta()},
        {2, "data", Shape::kBytesMap},
        {3, "type", Shape::kString},
        {4, "stringData", Shape::kStringMap},
        {5, "immutable", Shape::kBool}}},
      {"SelfSubjectAccessReview",
       {{1, "metadata", Shape::kIgnored},
        {2, "spec", Shape::kMessage, false, &access_question()},
        {3, "status", Shape::kIgnored}}},
      {"SelfSubjectRulesReview",
       {{1, "metadata", Shape::kIgnored},
        {2, "spec", Shape::kMessage, false, &rules_question},
        {3, "status", Shape::kIgnored}}},
      {"SelfSubjectReview", {{1, "metadata", Shape::kIgnored}, {2, "status", Shape::kIgnored}}}};
  for (const Message& message : kinds) {
    if (message.name == kind) return &message;
  }
  return nullptr;
}

bool is_varint(Shape shape) { return shape == Shape::kInteger || shape == Shape::kBool; }

// map<string, …>: each entry is a message of key 1 and value 2.
Status add_map_entry(Value& map, std::string_view bytes, bool encodes) {
  ProtoReader reader(bytes);
  std::string_view key;
  std::string_view value;
  while (!reader.is_at_end()) {
    MARGAY_ASSIGN_OR_RETURN(const std::uint64_t tag, reader.varint());
    if (tag != 0x0a && tag != 0x12) return invalid("protobuf: a map's entry has a field that is neither key nor value");
    MARGAY_ASSIGN_OR_RETURN((tag == 0x0a ? key : value), reader.piece());
  }
  map[key] = encodes ? Value(base64_encode(value)) : Value(value);
  return ok_status();
}

Result<Value> time_of(std::string_view bytes) {
  ProtoReader reader(bytes);
  std::int64_t seconds = 0;
  while (!reader.is_at_end()) {
    MARGAY_ASSIGN_OR_RETURN(const std::uint64_t tag, reader.varint());
    MARGAY_ASSIGN_OR_RETURN(const std::uint64_t value, reader.varint());
    if (tag == 0x08) seconds = static_cast<std::int64_t>(value);
  }
  const std::time_t when = seconds;
  std::tm parts{};
  char text[32];
  // Clients that have no time send none, or the year 1.
  if (seconds <= 0 || gmtime_r(&when, &parts) == nullptr) return Value();
  return Value(std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

Result<Value> decode(std::string_view bytes, const Message& message, int depth);

Result<Value> decode_piece(std::string_view bytes, const Field& field, int depth) {
  switch (field.shape) {
    case Shape::kString: return Value(bytes);
    case Shape::kBytes: return Value(base64_encode(bytes));
    case Shape::kTime: return time_of(bytes);
    case Shape::kMessage: return decode(bytes, *field.message, depth + 1);
    case Shape::kIgnored: return Value();
    case Shape::kInteger:
    case Shape::kBool:
    case Shape::kStringMap:
    case Shape::kBytesMap: break;
  }
  return invalid(concat("protobuf: ", field.name, " has another form than expected"));
}

Status add_field(Value& object, const Field& field, std::string_view piece, int depth) {
  if (field.shape == Shape::kStringMap || field.shape == Shape::kBytesMap) {
    return add_map_entry(object[field.name], piece, field.shape == Shape::kBytesMap);
  }
  MARGAY_ASSIGN_OR_RETURN(Value value, decode_piece(piece, field, depth));
  if (value.is_null()) return ok_status();
  const std::string* text = value.as_string();
  if (field.is_repeated) {
    object[field.name].make_array().push_back(std::move(value));
  } else if (text == nullptr || !text->empty()) {
    object[field.name] = std::move(value);
  }
  return ok_status();
}

Status decode_field(ProtoReader& reader, Value& object, const Message& message, int depth) {
  MARGAY_ASSIGN_OR_RETURN(const std::uint64_t tag, reader.varint());
  const auto wire = static_cast<Wire>(tag & 7U);
  for (const Field& field : message.fields) {
    if (field.number != tag >> 3) continue;
    if (wire == Wire::kVarint && is_varint(field.shape)) {
      MARGAY_ASSIGN_OR_RETURN(const std::uint64_t number, reader.varint());
      const bool is_set = number != 0;
      if (field.shape == Shape::kBool) object[field.name] = is_set;
      if (field.shape == Shape::kInteger && is_set) object[field.name] = static_cast<std::int64_t>(number);
      return ok_status();
    }
    if (wire != Wire::kBytes) return invalid(concat("protobuf: ", message.name, ".", field.name, " is not a field"));
    MARGAY_ASSIGN_OR_RETURN(const std::string_view piece, reader.piece());
    return add_field(object, field, piece, depth);
  }
  // Nothing is dropped in silence.
  return invalid(concat("protobuf: field ", tag >> 3, " of ", message.name, " is not known here; send JSON"));
}

Result<Value> decode(std::string_view bytes, const Message& message, int depth) {
  if (depth > kDepthMax) return invalid("protobuf: nested too deeply");
  Value object;
  object.make_object();
  ProtoReader reader(bytes);
  while (!reader.is_at_end()) MARGAY_RETURN_IF_ERROR(decode_field(reader, object, message, depth));
  return object;
}

std::string_view api_version_of(std::string_view kind) {
  if (kind == "SelfSubjectReview") return "authentication.k8s.io/v1";
  return kind.starts_with("SelfSubject") ? "authorization.k8s.io/v1" : "v1";
}

const Message& envelope() {
  static const Message type_meta{"TypeMeta", {{1, "apiVersion", Shape::kString}, {2, "kind", Shape::kString}}};
  static const Message message{"Unknown",
                               {{1, "typeMeta", Shape::kMessage, false, &type_meta},
                                {2, "raw", Shape::kString},
                                {3, "contentEncoding", Shape::kString},
                                {4, "contentType", Shape::kString}}};
  return message;
}

}  // namespace

Result<Value> parse_protobuf_body(std::string_view body) {
  if (!body.starts_with(kMagic)) return invalid("protobuf: the body does not begin with Kubernetes' prefix");
  MARGAY_ASSIGN_OR_RETURN(const Value outer, decode(body.substr(kMagic.size()), envelope(), 0));
  const std::string_view kind = outer.string_at({"typeMeta", "kind"});
  const std::string_view api_version = outer.string_at({"typeMeta", "apiVersion"});
  const Message* message = api_version == api_version_of(kind) ? message_of(kind) : nullptr;
  if (message == nullptr) {
    return Error{ErrorCode::kUnsupported, concat("protobuf is not understood for kind ", quoted(kind), "; send JSON")};
  }
  MARGAY_ASSIGN_OR_RETURN(const Value decoded, decode(outer.string_at({"raw"}), *message, 0));
  Value object = json::Object{{"apiVersion", api_version}, {"kind", kind}};
  for (const json::Member& member : *decoded.as_object()) object[member.name] = member.value;
  // Text in protobuf may be any bytes; the parser refuses what is not UTF-8.
  return json::parse(json::dump(object));
}

}  // namespace margay::server
