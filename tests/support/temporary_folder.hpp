#pragma once
/// A folder for one test.

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>
#include <unistd.h>

namespace hirenow::test {

/// A folder that goes with its owner; in memory where the machine offers that, unless the test is about the disk.
class temporary_folder {
 public:
  explicit temporary_folder(const std::filesystem::path& parent = usual_place()) {
    std::string name = (parent / "hirenow-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  static std::filesystem::path usual_place() {
    const std::filesystem::path in_memory = "/dev/shm";
    return access(in_memory.c_str(), W_OK) == 0 ? in_memory : std::filesystem::temp_directory_path();
  }

  std::filesystem::path path_;
};

}  // namespace hirenow::test
