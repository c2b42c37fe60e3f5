# Compiler settings shared by every target, and the switches of the presets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

set(MARGAY_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")
option(MARGAY_FUZZ "Build libFuzzer targets (clang)" OFF)

find_program(MARGAY_CCACHE ccache)
if(MARGAY_CCACHE)
  # Paths relative to the checkout, so that all checkouts of a machine share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${MARGAY_CCACHE}")
endif()
find_program(MARGAY_LLD ld.lld)
if(MARGAY_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# Warnings are errors in our code; third-party headers come in as SYSTEM.
add_library(margay_flags INTERFACE)
target_compile_options(margay_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum -Werror
  # MARGAY_CHECK(!"what cannot be") is how we say it.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-string-conversion>)
target_include_directories(margay_flags INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # g++ 12 sees std::variant's unused alternatives as "maybe uninitialized" once it inlines (false positives).
  target_compile_options(margay_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # Hardened as Debian hardens its own network daemons.
  target_compile_options(margay_flags INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now -Wl,--gc-sections)
  target_compile_options(margay_flags INTERFACE -ffunction-sections -fdata-sections)
endif()

if(MARGAY_SANITIZE)
  add_compile_options(-fsanitize=${MARGAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MARGAY_SANITIZE})
  # The same checks as calls instead of code in line: less to compile (D-104).
  if(MARGAY_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(--param=asan-instrumentation-with-call-threshold=0)
  endif()
endif()
if(MARGAY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
