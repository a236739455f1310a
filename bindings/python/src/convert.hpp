#pragma once
/// Values between C++ and Python: `convert<T>::to` makes a Python object, `convert<T>::from` reads one.
///
/// A wrong type is a TypeError; a value of the right type that cannot be used is `hirenow.InvalidArgumentError`.
/// Text that is no UTF-8 goes through as it is, for the core to refuse.
/// Threads: the caller holds the GIL.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>

#include "hirenow/clock.hpp"
#include "hirenow/error.hpp"
#include "hirenow/interview.hpp"

namespace hirenow::python {

namespace py = pybind11;

template <class T>
struct convert;

template <class T>
py::object to_py(const T& value) {
  return convert<T>::to(value);
}
template <class T>
T from_py(py::handle value, const char* what) {
  return convert<T>::from(value, what);
}

/// Raises TypeError: `what` should have been `expected`.
[[noreturn]] void wrong_type(const char* what, const char* expected, py::handle value);
/// Raises `hirenow.InvalidArgumentError`.
[[noreturn]] void unusable(const char* what, std::string_view why);

// ---- Plain values ---------------------------------------------------------------------------------------------------

template <>
struct convert<bool> {
  static py::object to(bool value) { return py::bool_(value); }
  static bool from(py::handle value, const char* what);
};

std::int64_t integer_from(py::handle value, const char* what, std::int64_t least, std::uint64_t most);

template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
struct convert<T> {
  static py::object to(T value) { return py::int_(value); }
  static T from(py::handle value, const char* what) {
    return static_cast<T>(integer_from(value, what, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                                       static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
  }
};

template <>
struct convert<double> {
  static py::object to(double value) { return py::float_(value); }
  static double from(py::handle value, const char* what);
};

/// Text. Borrowed from the Python object, which must outlive the view.
template <>
struct convert<std::string_view> {
  static py::object to(std::string_view value);
  static std::string_view from(py::handle value, const char* what);
};
template <>
struct convert<std::string> {
  static py::object to(const std::string& value) { return to_py<std::string_view>(value); }
  static std::string from(py::handle value, const char* what);
};

/// Bytes, held in a std::string (or borrowed, as a view).
template <class T>
struct bytes_codec {
  static py::object to(const T& value) { return py::bytes(value.data(), value.size()); }
  static T from(py::handle value, const char* what);
};
template <>
std::string bytes_codec<std::string>::from(py::handle value, const char* what);
template <>
std::string_view bytes_codec<std::string_view>::from(py::handle value, const char* what);

/// A file's path: text, bytes, or an `os.PathLike`.
std::string path_from(py::handle value, const char* what);

/// Bytes that may be given as text too, such as a session key.
struct secret_codec {
  static py::object to(const std::string& value) { return py::bytes(value); }
  static std::string from(py::handle value, const char* what);
};

template <std::size_t Size>
struct convert<std::array<std::uint8_t, Size>> {
  static py::object to(const std::array<std::uint8_t, Size>& value) {
    return py::bytes(reinterpret_cast<const char*>(value.data()), Size);
  }
  static std::array<std::uint8_t, Size> from(py::handle value, const char* what) {
    const auto text = bytes_codec<std::string_view>::from(value, what);
    if (text.size() != Size) unusable(what, "must have " + std::to_string(Size) + " bytes");
    std::array<std::uint8_t, Size> out;
    std::memcpy(out.data(), text.data(), Size);
    return out;
  }
};

template <>
struct convert<sys_seconds> {
  static py::object to(sys_seconds value);
  static sys_seconds from(py::handle value, const char* what);
};
template <>
struct convert<seconds> {
  static py::object to(seconds value);
  static seconds from(py::handle value, const char* what);
};
template <>
struct convert<std::chrono::milliseconds> {
  static std::chrono::milliseconds from(py::handle value, const char* what);
};
template <>
struct convert<interview_id> {
  static py::object to(const interview_id& value);
  static interview_id from(py::handle value, const char* what);
};
template <>
struct convert<error> {
  static py::object to(const error& value);
  static error from(py::handle value, const char* what);
};

// ---- Compound values ------------------------------------------------------------------------------------------------

template <class Codec, class T>
struct optional_codec {
  static py::object to(const std::optional<T>& value) { return value ? Codec::to(*value) : py::object(py::none()); }
  static std::optional<T> from(py::handle value, const char* what) {
    if (value.is_none()) return std::nullopt;
    return Codec::from(value, what);
  }
};
template <class T>
struct convert<std::optional<T>> : optional_codec<convert<T>, T> {};

/// Any iterable in, a tuple out.
template <class T>
struct convert<std::vector<T>> {
  static py::object to(const std::vector<T>& value) {
    py::tuple out(value.size());
    for (std::size_t n = 0; n < value.size(); ++n)
      PyTuple_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(n), convert<T>::to(value[n]).release().ptr());
    return out;
  }
  static std::vector<T> from(py::handle value, const char* what) {
    if (PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr())) wrong_type(what, "a sequence", value);
    std::vector<T> out;
    for (const auto item : py::iter(value)) out.push_back(convert<T>::from(item, what));
    return out;
  }
};

// ---- Enumerations: Python's members are words, in the order of the numbers ------------------------------------------

struct enum_class {
  std::vector<py::object> members{};
  std::vector<std::string> words{};
  std::string name{};
  std::size_t find(py::handle value, const char* what) const;
};
void bind_enum(enum_class& to, py::dict classes, const char* name, std::vector<std::string> words);

template <class E>
enum_class& class_of_enum() {
  static enum_class* const made = new enum_class;  // outlives the interpreter on purpose
  return *made;
}

template <class E>
  requires std::is_enum_v<E>
struct convert<E> {
  static py::object to(E value) {
    const auto& known = class_of_enum<E>();
    const auto at = static_cast<std::size_t>(value);
    if (at >= known.members.size()) throw exception(detail::fail(errc::internal, known.name + " out of range"));
    return known.members[at];
  }
  static E from(py::handle value, const char* what) { return static_cast<E>(class_of_enum<E>().find(value, what)); }
};

// ---- Records: a Python class of the same fields, filled through its slots -------------------------------------------

/// A field: its name in Python, the member, and how the member is converted.
template <class T, class M, class Codec>
struct field {
  using codec = Codec;
  const char* name;
  M T::* member;
};
template <class T, class M>
constexpr field<T, M, convert<M>> plain(const char* name, M T::* member) {
  return {name, member};
}
template <class Codec, class T, class M>
constexpr field<T, M, Codec> coded(const char* name, M T::* member) {
  return {name, member};
}

/// Specialised in records.hpp: `name`, and `fields`, a tuple in the order of the Python class.
template <class T>
struct record_of;
template <class T>
concept record = requires { record_of<T>::name; };

struct record_class {
  PyTypeObject* type = nullptr;
  std::vector<PyObject*> slots{};
};
void bind_record(record_class& to, py::dict classes, const char* name, const std::vector<const char*>& fields);
py::object new_record(const record_class& of);
void set_slot(const record_class& of, py::handle object, std::size_t at, py::object value);
py::object get_slot(const record_class& of, py::handle object, std::size_t at, const char* name);
void need_record(const record_class& of, py::handle object, const char* what, const char* name);

template <class T>
record_class& class_of_record() {
  static record_class* const made = new record_class;  // outlives the interpreter on purpose
  return *made;
}

template <record T>
struct convert<T> {
  static py::object to(const T& value) {
    const auto& known = class_of_record<T>();
    py::object out = new_record(known);
    put(value, known, out, std::make_index_sequence<count>{});
    return out;
  }
  static T from(py::handle value, const char* what) {
    const auto& known = class_of_record<T>();
    need_record(known, value, what, record_of<T>::name);
    T out{};
    get(out, known, value, std::make_index_sequence<count>{});
    return out;
  }
  static std::vector<const char*> names() {
    return std::apply([](const auto&... f) { return std::vector<const char*>{f.name...}; }, record_of<T>::fields);
  }

 private:
  static constexpr std::size_t count = std::tuple_size_v<std::remove_cvref_t<decltype(record_of<T>::fields)>>;

  template <std::size_t N>
  static const auto& at() {
    return std::get<N>(record_of<T>::fields);
  }
  template <std::size_t N>
  using codec_at =
      typename std::remove_cvref_t<std::tuple_element_t<N, std::remove_cvref_t<decltype(record_of<T>::fields)>>>::codec;

  template <std::size_t... N>
  static void put(const T& value, const record_class& known, py::handle out, std::index_sequence<N...>) {
    (set_slot(known, out, N, codec_at<N>::to(value.*(at<N>().member))), ...);
  }
  template <std::size_t... N>
  static void get(T& out, const record_class& known, py::handle value, std::index_sequence<N...>) {
    ((out.*(at<N>().member) = codec_at<N>::from(get_slot(known, value, N, at<N>().name), at<N>().name)), ...);
  }
};

/// Where Python's classes are told: every enumeration and record, by name.
void bind_classes(py::dict classes);

/// Raises the exception that the error is.
[[noreturn]] void raise_error(const error& e);

/// What the result holds; raises the error where it is one.
template <class T>
T value_of(result<T> r) {
  if (!r) raise_error(r.error());
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

}  // namespace hirenow::python
