// Plain values, the classes that Python brings, and errors.

#include "convert.hpp"

#include "binding.hpp"

#include <datetime.h>

namespace hirenow::python {
namespace {

/// What Python brings once, at import. Never given back: the interpreter goes first.
struct python_names {
  py::object make_error, error, uuid, safe_unknown;
  PyObject* uuid_int = nullptr;
  PyObject* uuid_is_safe = nullptr;
  py::object sixty_four;
};
python_names& names() {
  static python_names* const made = new python_names;
  return *made;
}

PyObject* descriptor(PyTypeObject* type, const char* name) {
  py::object found =
      py::reinterpret_borrow<py::object>(py::handle(reinterpret_cast<PyObject*>(type)).attr("__dict__")[name]);
  if (!Py_TYPE(found.ptr())->tp_descr_set) throw py::type_error(std::string(type->tp_name) + "." + name + ": no slot");
  return found.release().ptr();
}

/// The object's text as UTF-8; a lone surrogate becomes bytes that are none.
std::optional<std::string_view> utf8_of(py::handle value) {
  Py_ssize_t size = 0;
  if (const char* const text = PyUnicode_AsUTF8AndSize(value.ptr(), &size))
    return std::string_view(text, static_cast<std::size_t>(size));
  PyErr_Clear();
  return std::nullopt;
}

}  // namespace

void wrong_type(const char* what, const char* expected, py::handle value) {
  throw py::type_error(std::string(what) + " must be " + expected + ", not " + Py_TYPE(value.ptr())->tp_name);
}
void unusable(const char* what, std::string_view why) {
  raise_error(detail::fail(errc::invalid_argument, std::string(what) + " " + std::string(why)));
}

// ---- Plain values ---------------------------------------------------------------------------------------------------

bool convert<bool>::from(py::handle value, const char* what) {
  if (!PyBool_Check(value.ptr())) wrong_type(what, "a bool", value);
  return value.ptr() == Py_True;
}

std::int64_t integer_from(py::handle value, const char* what, std::int64_t least, std::uint64_t most) {
  if (!PyLong_Check(value.ptr())) wrong_type(what, "an int", value);
  int over = 0;
  const long long n = PyLong_AsLongLongAndOverflow(value.ptr(), &over);
  if (over > 0 && most > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    const unsigned long long big = PyLong_AsUnsignedLongLong(value.ptr());
    if (!PyErr_Occurred()) return static_cast<std::int64_t>(big);
    PyErr_Clear();
  }
  if (over != 0 || n < least || (n > 0 && static_cast<std::uint64_t>(n) > most)) unusable(what, "is out of range");
  return n;
}

double convert<double>::from(py::handle value, const char* what) {
  if (!PyFloat_Check(value.ptr()) && !PyLong_Check(value.ptr())) wrong_type(what, "a number", value);
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1.0 && PyErr_Occurred()) {
    PyErr_Clear();
    unusable(what, "is out of range");
  }
  return number;
}

py::object convert<std::string_view>::to(std::string_view value) {
  PyObject* const text = PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "replace");
  if (!text) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(text);
}
std::string_view convert<std::string_view>::from(py::handle value, const char* what) {
  if (!PyUnicode_Check(value.ptr())) wrong_type(what, "a str", value);
  const auto text = utf8_of(value);
  if (!text) unusable(what, "is not UTF-8");
  return *text;
}
std::string convert<std::string>::from(py::handle value, const char* what) {
  return std::string(convert<std::string_view>::from(value, what));
}

template <>
std::string_view bytes_codec<std::string_view>::from(py::handle value, const char* what) {
  if (!PyBytes_Check(value.ptr())) wrong_type(what, "bytes", value);
  return {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))};
}
template <>
std::string bytes_codec<std::string>::from(py::handle value, const char* what) {
  if (PyBytes_Check(value.ptr())) return std::string(bytes_codec<std::string_view>::from(value, what));
  Py_buffer view;
  if (PyUnicode_Check(value.ptr()) || PyObject_GetBuffer(value.ptr(), &view, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    wrong_type(what, "bytes", value);
  }
  std::string out(static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len));
  PyBuffer_Release(&view);
  return out;
}
std::string path_from(py::handle value, const char* what) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(value.ptr(), &bytes) == 0) {
    const bool type = PyErr_ExceptionMatches(PyExc_TypeError) != 0;
    if (!type && !PyErr_ExceptionMatches(PyExc_ValueError)) throw py::error_already_set();
    PyErr_Clear();
    if (type) wrong_type(what, "a str or an os.PathLike", value);
    unusable(what, "is no path");
  }
  return bytes_codec<std::string>::from(py::reinterpret_steal<py::object>(bytes), what);
}
std::string secret_codec::from(py::handle value, const char* what) {
  if (PyUnicode_Check(value.ptr())) return convert<std::string>::from(value, what);
  return bytes_codec<std::string>::from(value, what);
}

py::object convert<sys_seconds>::to(sys_seconds value) {
  const auto day = std::chrono::floor<std::chrono::days>(value);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{value - day};
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) raise_error(detail::fail(errc::internal, "an instant outside the years 1 to 9999"));
  PyObject* const made = PyDateTimeAPI->DateTime_FromDateAndTime(
      year, static_cast<int>(static_cast<unsigned>(date.month())), static_cast<int>(static_cast<unsigned>(date.day())),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), 0, PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType);
  if (!made) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}
sys_seconds convert<sys_seconds>::from(py::handle value, const char* what) {
  PyObject* const o = value.ptr();
  if (!PyDateTime_Check(o)) wrong_type(what, "a datetime", value);
  using namespace std::chrono;
  const year_month_day date{year{PyDateTime_GET_YEAR(o)}, month{static_cast<unsigned>(PyDateTime_GET_MONTH(o))},
                            day{static_cast<unsigned>(PyDateTime_GET_DAY(o))}};
  sys_seconds at = sys_days{date} + hours{PyDateTime_DATE_GET_HOUR(o)} + minutes{PyDateTime_DATE_GET_MINUTE(o)} +
                   seconds{PyDateTime_DATE_GET_SECOND(o)};
  const bool has_zone = reinterpret_cast<_PyDateTime_BaseTZInfo*>(o)->hastzinfo != 0;
  PyObject* const zone = has_zone ? reinterpret_cast<PyDateTime_DateTime*>(o)->tzinfo : nullptr;
  if (zone == PyDateTime_TimeZone_UTC) return at;
  const py::object offset = zone ? py::reinterpret_borrow<py::object>(value).attr("utcoffset")() : py::none();
  if (offset.is_none()) unusable(what, "is naive: say its time zone, for example datetime.now(timezone.utc)");
  at -= days{PyDateTime_DELTA_GET_DAYS(offset.ptr())} + seconds{PyDateTime_DELTA_GET_SECONDS(offset.ptr())};
  // Rounded down, also where the offset has microseconds.
  if (PyDateTime_DELTA_GET_MICROSECONDS(offset.ptr()) > PyDateTime_DATE_GET_MICROSECOND(o)) at -= seconds{1};
  return at;
}

py::object convert<seconds>::to(seconds value) {
  const auto days = std::chrono::floor<std::chrono::days>(value);
  PyObject* const made = PyDelta_FromDSU(static_cast<int>(days.count()), static_cast<int>((value - days).count()), 0);
  if (!made) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}
seconds convert<seconds>::from(py::handle value, const char* what) {
  if (!PyDelta_Check(value.ptr())) wrong_type(what, "a timedelta", value);
  if (PyDateTime_DELTA_GET_MICROSECONDS(value.ptr()) != 0) unusable(what, "must be whole seconds");
  return std::chrono::days{PyDateTime_DELTA_GET_DAYS(value.ptr())} + seconds{PyDateTime_DELTA_GET_SECONDS(value.ptr())};
}

std::chrono::milliseconds convert<std::chrono::milliseconds>::from(py::handle value, const char* what) {
  if (!PyDelta_Check(value.ptr())) wrong_type(what, "a timedelta", value);
  const int rest = PyDateTime_DELTA_GET_MICROSECONDS(value.ptr());
  if (rest % 1000 != 0) unusable(what, "must be whole milliseconds");
  return std::chrono::days{PyDateTime_DELTA_GET_DAYS(value.ptr())} +
         seconds{PyDateTime_DELTA_GET_SECONDS(value.ptr())} + std::chrono::milliseconds{rest / 1000};
}

py::object convert<interview_id>::to(const interview_id& value) {
  std::uint64_t high = 0, low = 0;
  for (std::size_t n = 0; n < 8; ++n) high = high << 8 | value.data[n];
  for (std::size_t n = 8; n < 16; ++n) low = low << 8 | value.data[n];
  const py::int_ h(high), l(low);
  const auto shifted = py::reinterpret_steal<py::object>(PyNumber_Lshift(h.ptr(), names().sixty_four.ptr()));
  const auto number = py::reinterpret_steal<py::object>(shifted ? PyNumber_Or(shifted.ptr(), l.ptr()) : nullptr);
  auto* const type = reinterpret_cast<PyTypeObject*>(names().uuid.ptr());
  auto made = py::reinterpret_steal<py::object>(number ? type->tp_alloc(type, 0) : nullptr);
  if (!made) throw py::error_already_set();
  // UUID's own __init__ is as slow as a signature; its two slots are all it sets.
  const auto set = [&](PyObject* slot, py::handle what) {
    if (Py_TYPE(slot)->tp_descr_set(slot, made.ptr(), what.ptr()) != 0) throw py::error_already_set();
  };
  set(names().uuid_int, number);
  set(names().uuid_is_safe, names().safe_unknown);
  return made;
}
interview_id convert<interview_id>::from(py::handle value, const char* what) {
  interview_id id{};
  if (PyUnicode_Check(value.ptr())) {
    const auto parsed = parse_interview_id(convert<std::string_view>::from(value, what));
    if (!parsed) raise_error(parsed.error());
    return *parsed;
  }
  if (!py::isinstance(value, names().uuid)) wrong_type(what, "a UUID", value);
  const py::object number = value.attr("int");
  const auto high = py::reinterpret_steal<py::object>(PyNumber_Rshift(number.ptr(), names().sixty_four.ptr()));
  if (!high) throw py::error_already_set();
  std::uint64_t h = PyLong_AsUnsignedLongLongMask(high.ptr()), l = PyLong_AsUnsignedLongLongMask(number.ptr());
  if (PyErr_Occurred()) throw py::error_already_set();
  for (std::size_t n = 8; n-- > 0; h >>= 8) id.data[n] = static_cast<std::uint8_t>(h & 0xff);
  for (std::size_t n = 16; n-- > 8; l >>= 8) id.data[n] = static_cast<std::uint8_t>(l & 0xff);
  return id;
}

py::object convert<error>::to(const error& value) {
  return names().make_error(static_cast<int>(value.code), to_py<std::string>(value.message),
                            to_py<std::string>(value.reason), to_py<std::string>(value.superseded_by),
                            to_py(value.eligible_at));
}
error convert<error>::from(py::handle value, const char* what) {
  if (!py::isinstance(value, names().error)) wrong_type(what, "a hirenow.Error", value);
  error e;
  e.code = static_cast<errc>(from_py<int>(value.attr("code"), "code"));
  e.message = from_py<std::string>(value.attr("message"), "message");
  e.reason = from_py<std::string>(value.attr("reason"), "reason");
  if (const py::object by = value.attr("superseded_by"); !by.is_none()) e.superseded_by = py::str(by);
  e.eligible_at = from_py<std::optional<sys_seconds>>(value.attr("eligible_at"), "eligible_at");
  return e;
}

void raise_error(const error& e) {
  if (!names().make_error) throw exception(e);
  const py::object made = to_py(e);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  throw py::error_already_set();
}

// ---- Enumerations and records ---------------------------------------------------------------------------------------

void bind_enum(enum_class& to, py::dict classes, const char* name, std::vector<std::string> words) {
  to.name = name;
  to.words = std::move(words);
  to.members.clear();
  const py::object cls = classes[name];
  if (py::len(cls) != to.words.size()) throw py::type_error(to.name + " has another number of members");
  for (const auto& word : to.words) to.members.push_back(cls(word));
}
std::size_t enum_class::find(py::handle value, const char* what) const {
  for (std::size_t n = 0; n < members.size(); ++n)
    if (members[n].is(value)) return n;
  if (!PyUnicode_Check(value.ptr())) wrong_type(what, ("a " + name).c_str(), value);
  const auto word = utf8_of(value);
  for (std::size_t n = 0; word && n < words.size(); ++n)
    if (words[n] == *word) return n;
  unusable(what, "is no " + name);
}

void bind_record(record_class& to, py::dict classes, const char* name, const std::vector<const char*>& fields) {
  const py::object cls = classes[name];
  auto* const type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  const py::tuple names = cls.attr("__match_args__");
  to.slots.clear();
  for (std::size_t n = 0; n < fields.size(); ++n) {
    if (n >= names.size() || !py::str(names[n]).equal(py::str(fields[n])))
      throw py::type_error(std::string(name) + " has no field " + fields[n] + " at its place");
    to.slots.push_back(descriptor(type, fields[n]));
  }
  if (names.size() != fields.size()) throw py::type_error(std::string(name) + " has fields too many");
  to.type = type;
  py::object(cls).inc_ref();
}
py::object new_record(const record_class& of) {
  PyObject* const made = of.type->tp_alloc(of.type, 0);
  if (!made) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}
void set_slot(const record_class& of, py::handle object, std::size_t at, py::object value) {
  if (Py_TYPE(of.slots[at])->tp_descr_set(of.slots[at], object.ptr(), value.ptr()) != 0) throw py::error_already_set();
}
py::object get_slot(const record_class& of, py::handle object, std::size_t at, const char*) {
  PyObject* const value =
      Py_TYPE(of.slots[at])->tp_descr_get(of.slots[at], object.ptr(), reinterpret_cast<PyObject*>(of.type));
  if (!value) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(value);
}
void need_record(const record_class& of, py::handle object, const char* what, const char* name) {
  if (!of.type || !PyObject_TypeCheck(object.ptr(), of.type))
    wrong_type(what, ("a " + std::string(name)).c_str(), object);
}

void bind_plain_classes(py::dict classes) {
  PyDateTime_IMPORT;
  if (!PyDateTimeAPI) throw py::error_already_set();
  auto& n = names();
  n.make_error = classes["make_error"];
  n.error = classes["Error"];
  n.uuid = py::module_::import("uuid").attr("UUID");
  n.safe_unknown = py::module_::import("uuid").attr("SafeUUID").attr("unknown");
  n.uuid_int = descriptor(reinterpret_cast<PyTypeObject*>(n.uuid.ptr()), "int");
  n.uuid_is_safe = descriptor(reinterpret_cast<PyTypeObject*>(n.uuid.ptr()), "is_safe");
  n.sixty_four = py::int_(64);
}

}  // namespace hirenow::python
