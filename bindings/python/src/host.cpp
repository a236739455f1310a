// The host's own connection: Python's DB-API as a driver of the library's SQL. The Python half is `hirenow/_dbapi.py`.

#include <dlfcn.h>
#include <sqlite3.h>

#include "binding.hpp"
#include "hirenow/adapters/host_connection.hpp"

namespace hirenow::python {
namespace {

/// A `_dbapi.Driver`. What the host's driver raises becomes the database's error of the same meaning, so that hirenow
/// knows a conflict from a failure; where it stays the answer, the caller gets the very exception.
class python_connection final : public host_connection {
 public:
  explicit python_connection(py::object driver)
      : dialect_(from_py<std::string>(driver.attr("dialect"), "dialect") == "postgresql" ? host_dialect::postgresql
                                                                                         : host_dialect::sqlite),
        driver_(std::move(driver)) {}

  host_dialect dialect() const override { return dialect_; }

  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    return ask([&]() -> result<host_answer> {
      py::tuple values(parameters.size());
      for (std::size_t n = 0; n < parameters.size(); ++n) values[n] = std::visit(to_python{}, parameters[n]);
      const py::tuple said = driver_.get().attr("execute")(to_py(sql), values);
      host_answer answer;
      for (const auto row : py::reinterpret_borrow<py::list>(said[0])) {
        const auto columns = py::reinterpret_borrow<py::tuple>(row);
        auto& values_of_row = answer.rows.emplace_back();
        values_of_row.reserve(columns.size());
        for (const auto value : columns) values_of_row.push_back(value_from(value));
      }
      answer.count = from_py<std::int64_t>(said[1], "rowcount");
      return answer;
    });
  }

  result<host_transaction> in_transaction() override {
    return ask([&]() -> result<host_transaction> {
      const auto word = from_py<std::string>(driver_.get().attr("transaction")(), "transaction()");
      return word == "open"            ? host_transaction::open
             : word == "begins_lazily" ? host_transaction::begins_lazily
                                       : host_transaction::none;
    });
  }

 private:
  struct to_python {
    py::object operator()(std::monostate) const { return py::none(); }
    py::object operator()(std::int64_t n) const { return py::int_(n); }
    py::object operator()(double r) const { return py::float_(r); }
    py::object operator()(std::string_view text) const { return to_py(text); }
    py::object operator()(std::span<const std::byte> bytes) const {
      return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  };

  /// What the database's own code says; PostgreSQL's is a pair of SQLSTATE and constraint.
  error meaning(const py::object& code, const std::string& text) const {
    if (dialect_ == host_dialect::sqlite) return sqlite_error(from_py<int>(code, "code"), text);
    const py::tuple both = code;
    return postgres_error(from_py<std::string>(both[0], "code"), text, from_py<std::string>(both[1], "constraint"));
  }

  static host_value value_from(py::handle value) {
    if (value.is_none()) return std::monostate{};
    if (PyBool_Check(value.ptr())) return std::int64_t{value.ptr() == Py_True};
    if (PyLong_Check(value.ptr())) return from_py<std::int64_t>(value, "a value");
    if (PyFloat_Check(value.ptr())) return from_py<double>(value, "a value");
    if (PyUnicode_Check(value.ptr())) return from_py<std::string>(value, "a value");
    return bytes_codec<std::string>::from(value, "a value of a row");
  }

  template <class F>
  auto ask(F&& f) -> decltype(f()) {
    const gil_taken gil;
    try {
      return f();
    } catch (py::error_already_set& raised) {
      const py::object code = driver_.get().attr("code_of")(raised.value());
      if (!code.is_none()) {
        const error e = meaning(code, std::string(py::str(raised.value())));
        // A transaction that only the host can repeat is always told in hirenow's word; the driver's is its cause.
        auto as = e;
        if (e.code == errc::retry_transaction) as.code = errc::internal;
        call::remember(as, raised.value());
        return e;
      }
      if (call::lets_pass()) throw py::error_already_set(raised);
      return detail::fail(errc::internal, raised.what());
    } catch (const py::builtin_exception& wrong) {
      return detail::fail(errc::internal, wrong.what());
    }
  }

  const host_dialect dialect_;
  held_object driver_;
};

/// A store over one transaction of the host's, and the connection it borrows.
struct joined {
  std::unique_ptr<host_connection> connection;
  std::unique_ptr<store> over;
};

}  // namespace

void add_host(py::module_& m) {
  using o = py::object;
  m.def(
      "join_transaction",
      [](o driver, bool create_tables, o schema) {
        const join_options options{.schema = from_py<std::string>(schema, "schema"), .create_tables = create_tables};
        auto both = std::make_unique<joined>();
        both->connection = std::make_unique<python_connection>(std::move(driver));
        call frame;
        both->over = frame.unwrap(join_transaction(*both->connection, options));
        const std::shared_ptr<joined> held(both.release(), careful_delete{});
        return native_store{.target = std::shared_ptr<store>(held, held->over.get()), .joined = true};
      },
      py::arg("driver"), py::arg("create_tables"), py::arg("schema"));

  m.def(
      "open_sqlite_store_through",
      [](o path, o opener, bool normal, o busy_timeout, o readers, o checkpoint_bytes, o cache_kib, o warn) {
        const auto options =
            sqlite_options_from(normal, busy_timeout, readers, checkpoint_bytes, cache_kib, std::move(warn));
        const auto file = from_py<std::string>(path, "path");
        auto held = std::make_shared<held_object>(std::move(opener));
        const auto open = [held]() -> result<std::unique_ptr<host_connection>> {
          const gil_taken gil;
          try {
            return std::unique_ptr<host_connection>(new python_connection(held->get()()));
          } catch (py::error_already_set& raised) {
            const error e = sqlite_error(0, std::string(py::str(raised.value())));
            call::remember(e, raised.value());
            return e;
          }
        };
        call frame;
        auto opened = frame.unwrap(call::without_gil([&] { return open_sqlite_store_through(file, open, options); }));
        return native_store{std::shared_ptr<store>(opened.release(), careful_delete{})};
      },
      py::arg("path"), py::arg("opener"), py::arg("normal"), py::arg("busy_timeout"), py::arg("readers"),
      py::arg("checkpoint_bytes"), py::arg("cache_kib"), py::arg("warn"));

  // Whether that shared object's SQLite is the one this module uses. One that shows no SQLite keeps its own.
  m.def(
      "shares_sqlite_with",
      [](o path) {
        const auto file = from_py<std::string>(path, "path");
        void* const image = dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (!image) return false;
        void* const theirs = dlsym(image, "sqlite3_libversion_number");
        dlclose(image);
        return theirs == reinterpret_cast<void*>(&sqlite3_libversion_number);
      },
      py::arg("path"));
  m.def("sqlite_version", [] { return to_py(std::string_view(sqlite3_libversion())); });
}

}  // namespace hirenow::python
