# A file as a constant of bytes: cmake -D INPUT=… -D OUTPUT=… -D SPACE=margay::ipip -D NAME=tunnel_program -P …
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include <cstdint>
#include <span>
namespace ${SPACE} {
namespace {
alignas(8) constexpr std::uint8_t k_${NAME}[] = {
${bytes}};
}
std::span<const std::uint8_t> ${NAME}();
std::span<const std::uint8_t> ${NAME}() { return k_${NAME}; }
}
")
