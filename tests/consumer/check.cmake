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

# The C library, found by pkg-config alone.
set(ENV{PKG_CONFIG_PATH} ${WORK_DIR}/prefix/${LIBDIR}/pkgconfig)
run(sh -c "cc -std=c99 '${CMAKE_CURRENT_LIST_DIR}/main.c' -o '${WORK_DIR}/consumer_c' \
  $(pkg-config --define-variable=prefix='${WORK_DIR}/prefix' --cflags --libs hirenow) \
  -Wl,-rpath,$(pkg-config --define-variable=prefix='${WORK_DIR}/prefix' --variable=libdir hirenow)")
run(${WORK_DIR}/consumer_c)
run(${WORK_DIR}/build/consumer_c)
