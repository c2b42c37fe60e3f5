// Runs a fuzz target over every file of its corpus, and over cuts of each file: what libFuzzer's own main does when it
// is given files, without needing clang. Fails when the corpus is missing or empty.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kCutsMax = 40;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void run_with_cuts(const std::string& input) {
  run(input);
  const std::size_t step = input.size() / kCutsMax + 1;
  for (std::size_t end = 0; end < input.size(); end += step) run(input.substr(0, end));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
    return 2;
  }
  std::size_t files = 0;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], failure)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    run_with_cuts(content.str());
    ++files;
  }
  std::printf("replayed %zu files of %s\n", files, argv[1]);
  return files == 0 ? 1 : 0;
}
