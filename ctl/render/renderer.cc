#include "ctl/render/renderer.h"

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "ctl/render/go_template.h"
#include "ctl/render/table_renderer.h"
#include "datastore/schema/jsonpath.h"

namespace margay::render {
namespace {

class DocumentRenderer : public Renderer {
 public:
  explicit DocumentRenderer(bool as_list) : as_list_(as_list) {}

  Result<std::string> all(const Items& items) override {
    if (as_list_ || items.size() != 1) return text(as_list(items));
    return text(items.front().object);
  }

 private:
  [[nodiscard]] virtual std::string text(const json::Value& value) const = 0;
  bool as_list_;
};

class YamlRenderer final : public DocumentRenderer {
 public:
  using DocumentRenderer::DocumentRenderer;
  Result<std::string> next(const Item& item) override { return "---\n" + json::dump_yaml(item.object); }

 private:
  [[nodiscard]] std::string text(const json::Value& value) const override { return json::dump_yaml(value); }
};

class JsonRenderer final : public DocumentRenderer {
 public:
  using DocumentRenderer::DocumentRenderer;
  Result<std::string> next(const Item& item) override { return json::dump_pretty(item.object); }

 private:
  [[nodiscard]] std::string text(const json::Value& value) const override { return json::dump_pretty(value); }
};

// One line for each object, whole answer or watch alike.
class LineRenderer : public Renderer {
 public:
  Result<std::string> all(const Items& items) override {
    std::string out;
    for (const Item& item : items) out.append(line(item)).append("\n");
    return out;
  }
  Result<std::string> next(const Item& item) override { return line(item) + "\n"; }

 private:
  [[nodiscard]] virtual std::string line(const Item& item) const = 0;
};

class JsonLinesRenderer final : public LineRenderer {
  [[nodiscard]] std::string line(const Item& item) const override { return json::dump(item.object); }
};

class NameRenderer final : public LineRenderer {
  [[nodiscard]] std::string line(const Item& item) const override { return object_name(item); }
};

class JsonPathText {
 public:
  static Result<JsonPathText> parse(std::string_view text) {
    auto parsed = schema::JsonPathTemplate::parse(text);
    if (!parsed.ok()) return parsed.error().within("jsonpath");
    return JsonPathText(*std::move(parsed));
  }
  [[nodiscard]] Result<std::string> execute(const json::Value& data) const {
    auto text = template_.render(data);
    if (!text.ok()) return text.error().within("jsonpath");
    return text;
  }

 private:
  explicit JsonPathText(schema::JsonPathTemplate parsed) : template_(std::move(parsed)) {}
  schema::JsonPathTemplate template_;
};

template <class Template>
class TemplateRenderer final : public Renderer {
 public:
  TemplateRenderer(Template text, bool as_list) : template_(std::move(text)), as_list_(as_list) {}

  Result<std::string> all(const Items& items) override {
    if (as_list_ || items.size() != 1) return template_.execute(as_list(items));
    return template_.execute(items.front().object);
  }
  Result<std::string> next(const Item& item) override { return template_.execute(item.object); }

 private:
  Template template_;
  bool as_list_;
};

template <class Template>
Result<std::unique_ptr<Renderer>> make_template_renderer(const Format& format, const Options& options) {
  MARGAY_ASSIGN_OR_RETURN(Template parsed, Template::parse(format.argument));
  return std::unique_ptr<Renderer>(std::make_unique<TemplateRenderer<Template>>(std::move(parsed), options.as_list));
}

}  // namespace

Result<std::unique_ptr<Renderer>> make_renderer(const Format& format, const Options& options) {
  switch (format.kind) {
    case FormatKind::kTable: return make_table_renderer(false, options);
    case FormatKind::kWide: return make_table_renderer(true, options);
    case FormatKind::kYaml: return std::unique_ptr<Renderer>(std::make_unique<YamlRenderer>(options.as_list));
    case FormatKind::kJson: return std::unique_ptr<Renderer>(std::make_unique<JsonRenderer>(options.as_list));
    case FormatKind::kJsonLines: return std::unique_ptr<Renderer>(std::make_unique<JsonLinesRenderer>());
    case FormatKind::kName: return std::unique_ptr<Renderer>(std::make_unique<NameRenderer>());
    case FormatKind::kJsonPath: return make_template_renderer<JsonPathText>(format, options);
    case FormatKind::kCustomColumns: return make_custom_columns_renderer(format.argument, options);
    case FormatKind::kGoTemplate: return make_template_renderer<GoTemplate>(format, options);
  }
  return invalid("unknown output format");
}

std::string object_name(const Item& item) {
  const std::string_view dot = item.resource->group.empty() ? "" : ".";
  return concat(item.resource->singular, dot, item.resource->group, '/', item.object.string_at({"metadata", "name"}));
}

json::Value as_list(const Items& items) {
  json::Array objects;
  for (const Item& item : items) objects.push_back(item.object);
  return json::Object{{"apiVersion", "v1"},
                      {"kind", "List"},
                      {"metadata", json::Object{{"resourceVersion", ""}}},
                      {"items", std::move(objects)}};
}

}  // namespace margay::render
