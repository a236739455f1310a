# Installs the build BUILD_DIR below WORK_DIR, builds this project against what was installed alone, and runs it.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK_DIR}/build -G ${GENERATOR}
  -D CMAKE_CXX_COMPILER=${CXX_COMPILER} -D CMAKE_BUILD_TYPE=Debug -D CMAKE_PREFIX_PATH=${WORK_DIR}/prefix)
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
run(${WORK_DIR}/build/consumer)

run(${WORK_DIR}/build/consumer_c)

# The C library alone, in a tree that was moved after it was installed: by CMake, and by pkg-config.
file(RENAME ${WORK_DIR}/prefix ${WORK_DIR}/moved)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/c -B ${WORK_DIR}/build_c -G ${GENERATOR}
  -D CMAKE_BUILD_TYPE=Debug -D CMAKE_PREFIX_PATH=${WORK_DIR}/moved)
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build_c)
run(${WORK_DIR}/build_c/consumer_c)
set(ENV{PKG_CONFIG_PATH} ${WORK_DIR}/moved/${LIBDIR}/pkgconfig)
run(sh -c "cc -std=c99 '${CMAKE_CURRENT_LIST_DIR}/main.c' -o '${WORK_DIR}/consumer_c' \
  $(pkg-config --cflags --libs hirenow) -Wl,-rpath,$(pkg-config --variable=libdir hirenow)")
run(${WORK_DIR}/consumer_c)

# A library folder that is an absolute path is the one that pkg-config names.
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/../.. -B ${WORK_DIR}/absolute -G ${GENERATOR}
  -D CMAKE_CXX_COMPILER=${CXX_COMPILER} -D HIRENOW_TESTS=OFF -D HIRENOW_EXAMPLES=OFF
  -D CMAKE_INSTALL_LIBDIR=/elsewhere/lib -D CMAKE_INSTALL_PREFIX=/opt/hirenow)
set(ENV{PKG_CONFIG_PATH} ${WORK_DIR}/absolute)
run(sh -c "test \"$(pkg-config --variable=libdir hirenow)\" = /elsewhere/lib && \
  test \"$(pkg-config --variable=includedir hirenow)\" = /opt/hirenow/include")

# The tool that was installed with the library, in the tree that was moved.
run(${WORK_DIR}/moved/${BINDIR}/hirenow policy check ${CMAKE_CURRENT_LIST_DIR}/../../examples/policies/microsoft.json)
