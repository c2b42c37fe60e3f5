// embed_crds OUTPUT FILE…: writes a .cc with the tables of embedded.h out of CustomResourceDefinition files. Runs at
// build time. A file in a folder named "kubernetes" describes a kind that Kubernetes has itself.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"

namespace margay {
namespace {

using json::Value;

const json::Array& array_at(const Value& value, std::string_view name) {
  static const json::Array kNothing;
  const Value* found = value.find(name);
  return found == nullptr || found->as_array() == nullptr ? kNothing : *found->as_array();
}

std::vector<std::string> strings_at(const Value& value, std::string_view name) {
  std::vector<std::string> strings;
  for (const Value& element : array_at(value, name)) strings.emplace_back(element.string_at({}));
  return strings;
}

bool is_true_at(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found != nullptr && found->as_bool() != nullptr && *found->as_bool();
}

struct Crd {
  Value value;
  bool is_kubernetes = false;

  [[nodiscard]] std::string_view spec(std::string_view name) const { return value.string_at({"spec", name}); }
  [[nodiscard]] std::string_view name(std::string_view which) const {
    return value.string_at({"spec", "names", which});
  }
};

Result<Crd> read_crd(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::kNotFound, concat(path, ": cannot be read")};
  auto documents = json::parse_yaml(text.str());
  if (!documents.ok()) return documents.error().within(path);
  if (documents->size() != 1 || documents->at(0).value.string_at({"kind"}) != "CustomResourceDefinition") {
    return invalid(concat(path, ": expected one CustomResourceDefinition"));
  }
  Crd crd{std::move(documents->at(0).value), path.find("/kubernetes/") != std::string::npos};
  for (const std::string_view which : {"kind", "plural"}) {
    if (crd.name(which).empty()) return invalid(concat(path, ": spec.names.", which, " is missing"));
  }
  const Value* versions = crd.value.find({"spec", "versions"});
  if (versions == nullptr || versions->as_array() == nullptr)
    return invalid(concat(path, ": spec.versions is missing"));
  return crd;
}

// A C++ literal of a string_view. Split into pieces of lines, as no tool likes a line of 60 kB; "??" would be a
// trigraph.
std::string literal(std::string_view text) {
  constexpr std::size_t kPieceBytes = 120;
  std::string out;
  for (std::size_t at = 0; at < text.size() || at == 0; at += kPieceBytes) {
    if (at > 0) out.append("\n  ");
    out.push_back('"');
    for (const char c : text.substr(at, kPieceBytes)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\' || c == '?') {
        out.append({'\\', c});
      } else if (byte < 0x20 || byte >= 0x7f) {
        constexpr char kOctal[] = "01234567";
        out.append({'\\', kOctal[byte >> 6], kOctal[byte >> 3 & 7], kOctal[byte & 7]});
      } else {
        out.push_back(c);
      }
    }
    out.push_back('"');
  }
  return out + "sv";
}

class Writer {
 public:
  std::string write(const std::vector<Crd>& crds) {
    out_ =
        "// Written by crds/embed.cc.\n#include \"crds/embedded.h\"\n\nnamespace margay::crds {\nnamespace {\n\n"
        "using namespace std::string_view_literals;\n\n";
    for (std::size_t i = 0; i < crds.size(); ++i) write_parts(crds[i], i);
    out_.append("constexpr EmbeddedCrd kCrds[] = {\n");
    for (std::size_t i = 0; i < crds.size(); ++i) write_crd(crds[i], i);
    out_.append(
        "};\n\n}  // namespace\n\nstd::span<const EmbeddedCrd> embedded_crds() { return kCrds; }\n\n"
        "}  // namespace margay::crds\n");
    return std::move(out_);
  }

 private:
  // An empty array cannot be declared; a reference to it is `{}`.
  static std::string reference(std::string_view array, std::size_t index, std::size_t size) {
    return size == 0 ? "{}" : concat(array, index);
  }

  void write_strings(std::string_view array, std::size_t index, const std::vector<std::string>& strings) {
    if (strings.empty()) return;
    out_.append(concat("constexpr std::string_view ", array, index, "[] = {"));
    for (const std::string& string : strings) out_.append(literal(string)).append(", ");
    out_.append("};\n");
  }

  static std::vector<std::string> aliases(const Crd& crd) {
    std::vector<std::string> out;
    for (const std::string_view alias :
         split(crd.value.string_at({"metadata", "annotations", "margay.dev/aliases"}), ',')) {
      if (!trim(alias).empty()) out.emplace_back(trim(alias));
    }
    return out;
  }

  void write_columns(const Value& version, std::string_view array) {
    const json::Array& columns = array_at(version, "additionalPrinterColumns");
    if (columns.empty()) return;
    out_.append(concat("constexpr EmbeddedColumn ", array, "[] = {\n"));
    for (const Value& column : columns) {
      out_.append("  {");
      for (const std::string_view field : {"name", "type", "format", "jsonPath", "description"}) {
        out_.append(literal(column.string_at({field}))).append(", ");
      }
      const Value* priority = column.find("priority");
      out_.append(
          concat(priority != nullptr && priority->as_integer() != nullptr ? *priority->as_integer() : 0, "},\n"));
    }
    out_.append("};\n");
  }

  // Everything but the row of the table itself.
  void write_parts(const Crd& crd, std::size_t index) {
    const Value& names = *crd.value.find({"spec", "names"});
    write_strings("kShortNames", index, strings_at(names, "shortNames"));
    write_strings("kCategories", index, strings_at(names, "categories"));
    write_strings("kAliases", index, aliases(crd));
    const std::string whole = json::dump(crd.value);
    out_.append(concat("constexpr auto kJson", index, " =\n  ", literal(whole), ";\n"));
    std::string rows;
    std::size_t number = 0;
    std::size_t from = 0;  // a schema is a part of the whole; equal ones of several versions follow each other
    for (const Value& version : array_at(*crd.value.find("spec"), "versions")) {
      const std::string columns = concat("kColumns", index, "_", number++);
      const Value* schema = version.find({"schema", "openAPIV3Schema"});
      const std::string text = schema == nullptr ? "" : json::dump(*schema);
      const std::size_t at = text.empty() ? 0 : whole.find(text, from);
      from = at + text.size();
      if (!is_true_at(version, "served")) continue;
      write_columns(version, columns);
      rows.append(concat("  {", literal(version.string_at({"name"})), ", ",
                         version.find({"subresources", "status"}) != nullptr ? "true" : "false", ", ",
                         array_at(version, "additionalPrinterColumns").empty() ? "{}" : columns, ", kJson", index,
                         ".substr(", at, ", ", text.size(), ")},\n"));
    }
    out_.append(concat("constexpr EmbeddedVersion kVersions", index, "[] = {\n", rows, "};\n\n"));
  }

  void write_crd(const Crd& crd, std::size_t index) {
    const Value& names = *crd.value.find({"spec", "names"});
    out_.append(concat("  {", literal(crd.spec("group")), ", ", literal(crd.name("kind")), ", ",
                       literal(crd.name("listKind")), ", ", literal(crd.name("plural")), ", ",
                       literal(crd.name("singular")), ", ", crd.spec("scope") == "Namespaced" ? "true" : "false", ", ",
                       crd.is_kubernetes ? "true" : "false", ", ",
                       reference("kShortNames", index, strings_at(names, "shortNames").size()), ", ",
                       reference("kAliases", index, aliases(crd).size()), ", ",
                       reference("kCategories", index, strings_at(names, "categories").size()), ", kVersions", index,
                       ", kJson", index, "},\n"));
  }

  std::string out_;
};

Status run(const std::string& output, const std::vector<std::string>& inputs) {
  std::vector<Crd> crds;
  for (const std::string& input : inputs) {
    MARGAY_ASSIGN_OR_RETURN(Crd crd, read_crd(input));
    crds.push_back(std::move(crd));
  }
  std::sort(crds.begin(), crds.end(), [](const Crd& a, const Crd& b) {
    return std::pair(a.spec("group"), a.name("plural")) < std::pair(b.spec("group"), b.name("plural"));
  });
  const std::string text = Writer().write(crds);
  std::ofstream file(output, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::kUnavailable, concat(output, ": cannot be written")};
  return ok_status();
}

}  // namespace
}  // namespace margay

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: embed_crds OUTPUT FILE...\n", stderr);
    return 2;
  }
  const margay::Status done = margay::run(argv[1], {argv + 2, argv + argc});
  if (done.ok()) return 0;
  std::fprintf(stderr, "embed_crds: %s\n", done.error().message.c_str());
  return 1;
}
