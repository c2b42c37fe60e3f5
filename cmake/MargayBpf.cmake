# Programs for the kernel's BPF machine: compiled by clang, embedded as bytes. Nothing of clang is needed when they run.
#   margay_bpf(SOURCE tunnel.bpf.c FUNCTION tunnel_program OUT source)
# `source` is a .cc in the build tree; it defines std::span<const std::uint8_t> FUNCTION() in the folder's namespace, which
# is margay::<last part of NAMESPACE>. Maps are described by BTF (-g), so it is compiled with it in every preset.
find_program(MARGAY_BPF_CLANG NAMES clang-14 clang REQUIRED)

function(margay_bpf)
  cmake_parse_arguments(PARSE_ARGV 0 ARG "" "SOURCE;FUNCTION;NAMESPACE;OUT" "")
  set(input "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SOURCE}")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.bpf.o")
  set(embedded "${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cc")
  # Debian keeps asm/types.h in a folder of the machine's own, which the BPF target does not look into.
  add_custom_command(OUTPUT "${object}"
    COMMAND "${MARGAY_BPF_CLANG}" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -std=gnu11
            "-I${PROJECT_SOURCE_DIR}" -idirafter "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}"
            "-fdebug-prefix-map=${PROJECT_SOURCE_DIR}=." -MMD -MF "${object}.d" -MT "${object}" -c "${input}" -o "${object}"
    DEPENDS "${input}" DEPFILE "${object}.d" VERBATIM)
  add_custom_command(OUTPUT "${embedded}"
    COMMAND "${CMAKE_COMMAND}" -D "INPUT=${object}" -D "OUTPUT=${embedded}" -D "SPACE=${ARG_NAMESPACE}"
            -D "NAME=${ARG_FUNCTION}" -P "${PROJECT_SOURCE_DIR}/cmake/EmbedBytes.cmake"
    DEPENDS "${object}" "${PROJECT_SOURCE_DIR}/cmake/EmbedBytes.cmake" VERBATIM)
  set(${ARG_OUT} "${embedded}" PARENT_SCOPE)
endfunction()
