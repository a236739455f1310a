# The core, parsed once for all that is built in tests/ and examples/. With clang it is compiled once, too
# (-fpch-codegen), which makes the whole build less than half as long.
#
# What is tested is optimised, also where the preset says -O0: the tests wait for it. What tests is not: it is compiled
# for longer than it runs.

set(optimised -O1)

file(CONFIGURE OUTPUT precompiled.cpp CONTENT "")
add_library(hirenow_precompiled OBJECT ${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp)
target_link_libraries(hirenow_precompiled PRIVATE hirenow)
target_precompile_headers(hirenow_precompiled PRIVATE <hirenow/hirenow.hpp>)
target_compile_options(hirenow_precompiled PRIVATE -fPIC)  # as the C library is compiled

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(pch ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/hirenow_precompiled.dir/cmake_pch.hxx)
  set_source_files_properties(${pch}.cxx PROPERTIES COMPILE_OPTIONS -fpch-codegen)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}")
  set(precompiled ${CMAKE_CURRENT_BINARY_DIR}/precompiled.o)
  add_custom_command(OUTPUT ${precompiled}
    COMMAND ${CMAKE_CXX_COMPILER} ${flags} ${optimised} -fPIC -c ${pch}.pch -o ${precompiled}
    DEPENDS hirenow_precompiled ${pch}.pch
    COMMENT "Compiling what the precompiled header holds")
  add_custom_target(hirenow_precompiled_core DEPENDS ${precompiled})
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  foreach(library IN ITEMS memory sql sqlite postgres smtp)
    target_compile_options(hirenow_${library} PRIVATE ${optimised})
  endforeach()
endif()

# hirenow_use_precompiled(<target>): for a program over hirenow::hirenow without definitions that change its headers.
function(hirenow_use_precompiled target)
  target_precompile_headers(${target} REUSE_FROM hirenow_precompiled)
  target_compile_options(${target} PRIVATE -fPIC)
  if(TARGET hirenow_precompiled_core)
    get_target_property(folder hirenow_precompiled BINARY_DIR)
    target_link_libraries(${target} PRIVATE ${folder}/precompiled.o)
    add_dependencies(${target} hirenow_precompiled_core)
  endif()
endfunction()

hirenow_use_precompiled(hirenow_c)
hirenow_use_precompiled(hirenow_tool)
