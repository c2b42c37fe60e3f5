# Batches: sources of one target that are compiled together, because half of a file's compile time goes into reading
# headers that its neighbours read as well (D-031).
#
# A batch is a file in the build tree that includes its sources by their paths from the root. Nothing in it depends on
# where the checkout lies, so ccache finds it again in every other checkout. It is written only when it changes.
#
# What follows: names in anonymous namespaces are unique among the sources of a target (test/tidy: same-name), and no
# source of a batch has compile options of its own (checked below); ALONE keeps one out.
set(MARGAY_BATCH_BYTES 0 CACHE STRING "Compile a target's sources in batches of about this many bytes; 0: file by file")

# Sources in the order given, cut where the pieces come out about equal; `out` are the sources to give the target.
function(margay_batches target sources out)
  set(${out} "${sources}" PARENT_SCOPE)
  if(NOT MARGAY_BATCH_BYTES)
    return()
  endif()
  set(single "")
  set(batched "")
  set(total 0)
  foreach(source IN LISTS sources)
    get_filename_component(path "${source}" ABSOLUTE)
    file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${path}")
    string(FIND "${path}" "${PROJECT_BINARY_DIR}/" generated)
    if(generated EQUAL 0)
      list(APPEND single "${source}")
    else()
      file(SIZE "${path}" size)
      math(EXPR total "${total} + ${size}")
      list(APPEND batched "${name}")
      list(APPEND ends "${total}")
    endif()
  endforeach()
  list(LENGTH batched count)
  if(count LESS 2)
    return()
  endif()
  math(EXPR pieces "(${total} + ${MARGAY_BATCH_BYTES} - 1) / ${MARGAY_BATCH_BYTES}")
  foreach(name end IN ZIP_LISTS batched ends)
    # The piece in which the middle of this source lies.
    file(SIZE "${PROJECT_SOURCE_DIR}/${name}" size)
    math(EXPR piece "(2 * ${end} - ${size}) * ${pieces} / (2 * ${total})")
    list(APPEND piece_${piece} "${name}")
  endforeach()
  foreach(piece RANGE ${pieces})
    list(LENGTH piece_${piece} count)
    if(count EQUAL 1)
      list(APPEND single "${PROJECT_SOURCE_DIR}/${piece_${piece}}")
    elseif(count GREATER 1)
      set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}_batch_${piece}.cc")
      margay_write_batch("${file}" "${piece_${piece}}")
      list(APPEND single "${file}")
    endif()
  endforeach()
  cmake_language(EVAL CODE "cmake_language(DEFER CALL margay_check_batched [[${batched}]])")
  set(${out} "${single}" PARENT_SCOPE)
endfunction()

function(margay_write_batch file names)
  set(text "// Sources that are compiled together: cmake/MargayBatches.cmake.\n")
  foreach(name IN LISTS names)
    string(APPEND text "#include \"${name}\"\n")
  endforeach()
  file(CONFIGURE OUTPUT "${file}" CONTENT "${text}" @ONLY)
  # g++ takes every type of an included file for one of a header, which others might see with another meaning; and a local
  # name may well be one that another file has. Builds file by file keep both warnings.
  set_source_files_properties("${file}" PROPERTIES COMPILE_OPTIONS "-Wno-shadow;$<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>")
endfunction()

# At the end of the folder's CMakeLists.txt.
function(margay_check_batched names)
  foreach(name IN LISTS names)
    foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS COMPILE_FLAGS INCLUDE_DIRECTORIES)
      get_source_file_property(value "${PROJECT_SOURCE_DIR}/${name}" ${property})
      if(value)
        message(FATAL_ERROR "${name} has ${property} of its own: name it behind ALONE, or it is lost in a batch")
      endif()
    endforeach()
  endforeach()
endfunction()
