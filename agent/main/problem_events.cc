#include "agent/main/problem_events.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "datastore/watch/resource_of.h"

namespace margay::agent {
namespace {

constexpr const char* kReason = "NotHonoured";

// FNV-1a: the same on every node.
std::uint64_t weight_of(const std::string& object, const std::string& node) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string* text : {&object, &node}) {
    for (const char c : *text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  }
  // The last bytes have not gone far by then.
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  return hash ^ hash >> 33;
}

std::optional<model::ObjectKey> key_named(std::string_view readable) {
  const auto words = split_once(readable, ' ');
  if (!words) return std::nullopt;
  for (const model::KindInfo& kind : model::all_kinds()) {
    if (kind.name != words->first) continue;
    const auto place = split_once(words->second, '/');
    if (kind.is_namespaced && !place) continue;
    if (!kind.is_namespaced) return model::ObjectKey{kind.kind, "", std::string(words->second)};
    return model::ObjectKey{kind.kind, std::string(place->first), std::string(place->second)};
  }
  return std::nullopt;
}

}  // namespace

Problems problems_by_key(const std::map<std::string, FieldErrors>& by_name, const model::ObjectKey& rest) {
  Problems out;
  for (const auto& [name, errors] : by_name) {
    const auto key = key_named(name);
    if (key && key->kind == model::Kind::kProfile) continue;
    FieldErrors& all = out[key.value_or(rest)];
    all.insert(all.end(), errors.begin(), errors.end());
  }
  return out;
}

void ProblemEvents::set_node(const std::string& name, bool is_there) {
  if (is_there) {
    nodes_.insert(name);
  } else {
    nodes_.erase(name);
  }
}

bool ProblemEvents::is_ours(const model::ObjectKey& key) const {
  const std::string object = key.to_string();
  const std::uint64_t own = weight_of(object, parts_.node);
  return std::none_of(nodes_.begin(), nodes_.end(),
                      [&](const std::string& node) { return node != parts_.node && weight_of(object, node) > own; });
}

void ProblemEvents::set_problems(const Problems& shared, const Problems& own) {
  Problems all = own;
  for (const auto& [key, errors] : shared) {
    if (!is_ours(key)) continue;
    FieldErrors& one = all[key];
    one.insert(one.end(), errors.begin(), errors.end());
  }
  std::erase_if(told_, [&](const auto& entry) { return !all.contains(entry.first); });
  for (const auto& [key, errors] : all) tell(key, errors);
  send();
}

void ProblemEvents::tell(const model::ObjectKey& key, const FieldErrors& errors) {
  if (errors.empty() || queue_.size() >= kQueueMax) return;
  std::string message = to_string(errors);
  if (message.size() > kMessageMax) message.resize(kMessageMax);
  std::string& told = told_[key];
  if (told == message) return;
  told = message;
  queue_.push_back({key, std::move(message)});
}

void ProblemEvents::send() {
  if (under_way_ != nullptr || queue_.empty()) return;
  const Due& due = queue_.front();
  under_way_ = parts_.client.get(
      watch::resource_of(due.key.kind), {due.key.name_space, due.key.name},
      [this](const kube::ApiResult<json::Value>& answer) {
        const kube::OperationPtr ended = std::move(under_way_);
        const Due done = std::move(queue_.front());
        queue_.pop_front();
        const bool is_gone = !answer.ok() && answer.error().code == ErrorCode::kNotFound;
        // Without its uid it is better than nothing.
        if (!is_gone) {
          record(done, answer.ok() ? std::string(answer->string_at({"metadata", "uid"})) : std::string());
        }
        send();
      });
}

void ProblemEvents::record(const Due& due, const std::string& uid) {
  const model::KindInfo& kind = model::info(due.key.kind);
  events::News news;
  news.about.api_version = kind.api_version;
  news.about.kind = kind.name;
  news.about.name_space = due.key.name_space;
  news.about.name = due.key.name;
  news.about.uid = uid;
  news.reason = kReason;
  news.message = due.message;
  news.is_warning = true;
  parts_.recorder.record(news);
}

}  // namespace margay::agent
