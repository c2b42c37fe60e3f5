#include "ctl/verbs/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"

namespace margay::verbs {
namespace {

namespace fs = std::filesystem;

Error too_large(std::string_view name) {
  return Error{ErrorCode::kLimitExceeded, concat(name, ": larger than ", kSourceBytesMax / 1024 / 1024, " MiB")};
}

bool has_object_ending(const fs::path& path) {
  const std::string ending = to_lower(path.extension().string());
  return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

bool is_url(std::string_view name) { return name.starts_with("http://") || name.starts_with("https://"); }

class Reader {
 public:
  Reader(const SourceOptions& options, Io& io) : options_(options), io_(io) {}

  Sources run() {
    for (const std::string& name : options_.names) {
      std::error_code ignored;
      if (name == "-") {
        input();
      } else if (fs::is_directory(name, ignored)) {
        directory(name);
      } else {
        file(name);
      }
    }
    return std::move(result_);
  }

 private:
  void problem(std::string text) { result_.problems.push_back(std::move(text)); }

  void input() {
    if (std::exchange(input_is_read_, true)) return problem("-: standard input can be read once only");
    auto text = io_.read_input(kSourceBytesMax);
    if (!text.ok()) return problem(text.error().within("<stdin>").message);
    result_.sources.push_back({"<stdin>", *std::move(text)});
  }

  void file(const std::string& name) {
    if (is_url(name)) {
      return problem(concat(name, ": netctl reads files, not URLs; give what it holds with -f -, as in curl -fsSL ",
                            name, " | netctl apply -f -"));
    }
    if (result_.sources.size() == kSourcesMax) return problem(concat(name, ": more than ", kSourcesMax, " files"));
    auto text = read_whole_file(name);
    if (!text.ok()) return problem(text.error().message);
    result_.sources.push_back({name, *std::move(text)});
  }

  void directory(const std::string& name) {
    std::vector<fs::path> files;
    std::vector<fs::path> directories;
    std::error_code failure;
    for (fs::directory_iterator at(name, failure), end; !failure && at != end; at.increment(failure)) {
      std::error_code ignored;
      if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
        directories.push_back(at->path());
      } else if (has_object_ending(at->path())) {
        files.push_back(at->path());
      }
    }
    if (failure) return problem(concat(name, ": ", failure.message()));
    const bool is_top = depth_ == 0;
    if (is_top && files.empty() && !(options_.is_recursive && !directories.empty())) {
      return problem(
          concat(name, ": holds no .yaml, .yml or .json file", directories.empty() ? "" : " (-R looks deeper)"));
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& path : files) file(path.string());
    if (options_.is_recursive) deeper(directories);
  }

  void deeper(std::vector<fs::path>& directories) {
    constexpr int kDepthMax = 64;
    if (depth_ == kDepthMax)
      return problem(concat(directories.empty() ? "" : directories.front().string(), ": too deep"));
    std::sort(directories.begin(), directories.end());
    ++depth_;
    for (const fs::path& path : directories) directory(path.string());
    --depth_;
  }

  const SourceOptions& options_;
  Io& io_;
  Sources result_;
  bool input_is_read_ = false;
  int depth_ = 0;
};

}  // namespace

Sources read_sources(const SourceOptions& options, Io& io) { return Reader(options, io).run(); }

// Not file::read_file: that refuses pipes, and "-f <(program)" is one.
Result<std::string> read_whole_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (stream == nullptr) return file::error_of(errno, path, "cannot open");
  struct stat information {};
  if (fstat(fileno(stream.get()), &information) == 0 && S_ISDIR(information.st_mode))
    return file::error_of(EISDIR, path, "cannot read");
  std::string text;
  std::vector<char> buffer(std::size_t{64} * 1024);
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), stream.get())) {
    text.append(buffer.data(), count);
    if (text.size() > kSourceBytesMax) return too_large(path);
  }
  if (std::ferror(stream.get()) != 0) return file::error_of(errno, path, "cannot read");
  return text;
}

}  // namespace margay::verbs
