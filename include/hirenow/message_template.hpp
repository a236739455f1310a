#pragma once
/// Message templates: Mustache sources by kind and locale, and how a message is rendered from them.
/// The only core header that includes the Mustache library, which reads a template once; what it read is kept as a flat
/// list that is run for each message, because walking the library's tree cost as much as loading a record does.
///
/// Values are escaped in the HTML part and nowhere else. A control character in a value becomes a space before anything
/// is rendered, and the rendered subject is folded to one line (RFC 5322 §2.2): no value can open a header of its own.
/// Locales fall back as RFC 4647 §3.4 has it: "de-AT", "de", then "en".
/// Threads: set up by one thread; `render` may then be called from any.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kainjow/mustache.hpp>

#include "hirenow/detail/default_messages.hpp"
#include "hirenow/detail/message_language.hpp"
#include "hirenow/error.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/message.hpp"

namespace hirenow {

/// The Mustache sources of one kind in one locale.
///
/// Variables, which are sections too (left out where there is no value): applicant_name, company_name, track,
/// track_title, attempt, opens_at, start_by, deadline, time_limit, ends_by; and link, in the parts of the kinds that
/// carry one.
struct message_texts {
  std::string subject;
  std::string text;
  std::string html{};  ///< empty: the message has no HTML part
};

/// What a message speaks of. Instants are given as they are: `render` writes them in the language of the template and
/// in the applicant's time zone.
struct message_view {
  std::string applicant_name{};  ///< may be empty
  std::string time_zone{};       ///< IANA name; empty or unknown means UTC
  std::string company_name{};    ///< who writes; may be empty
  std::string track;             ///< the host's id
  std::string track_title{};     ///< the track for a reader; empty: its id
  std::string link{};            ///< of the current generation; empty for the kinds that carry none
  std::uint32_t attempt = 1;
  std::optional<sys_seconds> opens_at{};  ///< where the link is not valid at once
  sys_seconds start_by{};
  std::optional<sys_seconds> deadline{};  ///< once started; the default texts then say so instead of `start_by`
  seconds time_limit{0};  ///< from a start on; where an outer limit cuts it, what whoever starts soonest has
  std::optional<sys_seconds> ends_by{};  ///< before the start, where whoever starts late has less: until then at most
};

/// A message ready to be sent.
struct rendered_message {
  std::string subject;   ///< one line, no control characters
  std::string text;      ///< lines end in "\n"
  std::string html{};    ///< may be empty
  std::string language;  ///< locale of the template that was used, for Content-Language
};

/// The locale that is used where neither the applicant's nor its parents have a template.
inline constexpr std::string_view default_locale = "en";

namespace detail {

inline constexpr std::size_t template_bytes = 64 * 1024;  // of one part
inline constexpr std::size_t template_sections = 256;     // of one part: the library renders nested ones recursively

/// Puts one space where control characters were: C0, DEL, C1 and the line separators U+2028 and U+2029.
inline std::string without_controls(std::string_view text) {
  // Most texts hold none, nor a byte that one begins with.
  if (!limits::any_byte(text,
                        [](char c) { return ((c >= 0) & (c < 0x20)) | (c == 0x7f) | (c == '\xc2') | (c == '\xe2'); }))
    return std::string(text);
  std::string out;
  out.reserve(text.size());
  bool pending = false;
  for (std::size_t n = 0; n < text.size();) {
    const auto byte = [&](std::size_t ahead) {
      return n + ahead < text.size() ? static_cast<unsigned char>(text[n + ahead]) : 0U;
    };
    std::size_t control = 0;
    if (byte(0) < 0x20 || byte(0) == 0x7f)
      control = 1;
    else if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f)
      control = 2;
    else if (byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9))
      control = 3;
    if (control == 0) {
      if (pending && !out.empty()) out += ' ';
      pending = false;
      out += text[n++];
    } else {
      pending = true;
      n += control;
    }
  }
  return out;
}

/// Lines that end in "\n", the last one too.
inline std::string with_plain_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (text[n] != '\r')
      out += text[n];
    else if (n + 1 == text.size() || text[n + 1] != '\n')
      out += '\n';
  }
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

/// A locale as it is looked up: lower case, '-' between subtags. Empty where it is none.
inline std::string lookup_key(std::string_view locale) {
  std::string key;
  if (locale.size() > limits::id) return key;
  for (const char c : locale) {
    if (c >= 'A' && c <= 'Z')
      key += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      key += c;
    else if ((c == '-' || c == '_') && !key.empty() && key.back() != '-')
      key += '-';
    else
      return {};
  }
  return !key.empty() && key.back() == '-' ? std::string() : key;
}

enum class template_part { subject, text, html };

/// What a template may name, in the order of `template_values`. The last stands in the parts that carry a link alone.
inline constexpr std::array<std::string_view, 11> template_variables{
    "applicant_name", "company_name", "track",      "track_title", "attempt", "opens_at",
    "start_by",       "deadline",     "time_limit", "ends_by",     "link"};
using template_values = std::array<std::string, template_variables.size()>;

/// The variable's place, or one past the last.
inline std::size_t template_variable(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(template_variables, name) - template_variables.begin());
}

/// One part, checked and parsed once.
class compiled_template {
 public:
  /// Errors: template_invalid, too_large.
  static result<compiled_template> compile(message_kind kind, template_part part, const std::string& source) {
    const auto refuse = [](const std::string& why) { return fail(errc::template_invalid, why); };
    if (source.size() > template_bytes)
      return fail(errc::too_large, "has " + std::to_string(source.size()) + " bytes; at most " +
                                       std::to_string(template_bytes) + " are allowed");
    if (!limits::is_text(source)) return refuse("is not UTF-8 without NUL");
    // Before the library sees it: delimiters stay as they are, and nesting stays within what recursion can bear.
    std::size_t sections = 0;
    for (auto at = source.find("{{"); at != std::string::npos; at = source.find("{{", at + 2)) {
      const auto first = source.find_first_not_of(" \t\r\n{", at);
      if (first == std::string::npos) continue;
      if (source[first] == '=') return refuse("changes the delimiters at " + std::to_string(at));
      if ((source[first] == '#' || source[first] == '^') && ++sections > template_sections)
        return refuse("has more than " + std::to_string(template_sections) + " sections");
    }

    kainjow::mustache::context<std::string> nothing;
    kainjow::mustache::context_internal<std::string> context{nothing};
    component root;
    std::string fault;
    const kainjow::mustache::parser<std::string> parser{source, context, root, fault};
    if (!fault.empty()) return refuse(fault);
    bool shows_link = false;
    root.walk_children([&](component& item) {
      const auto& tag = item.tag;
      if (tag.type == tag_type::text || tag.type == tag_type::comment || tag.type == tag_type::section_end)
        return component::walk_control::walk;
      const bool may_link = carries_link(kind) && part != template_part::subject;
      const bool is_link = tag.name == "link";
      if (tag.type == tag_type::partial)
        fault = "partial \"" + tag.name + "\"";
      else if (template_variable(tag.name) == template_variables.size() || (is_link && !may_link))
        fault = "unknown variable \"" + tag.name + "\"";
      else if (part == template_part::html && tag.type == tag_type::unescaped_variable)
        fault = "unescaped variable \"" + tag.name + "\"";
      if (!fault.empty()) {
        fault += " at " + std::to_string(item.position);
        return component::walk_control::stop;
      }
      shows_link = shows_link ||
                   (is_link && tag.type != tag_type::section_begin && tag.type != tag_type::section_begin_inverted);
      return component::walk_control::walk;
    });
    if (!fault.empty()) return refuse(fault);
    if (carries_link(kind) && part != template_part::subject && !shows_link) return refuse("does not show {{link}}");

    compiled_template compiled(part == template_part::html);
    compiled.flatten(root);
    return compiled;
  }

  std::string render(const template_values& values) const {
    std::string out;
    out.reserve(text_bytes_ + 1024);
    // A line that held a section and has nothing left but blanks is dropped, as in the library.
    std::size_t line = 0;
    bool had_section = false;
    const auto line_is_dropped = [&] {
      const bool drop = had_section && out.find_first_not_of(" \t", line) == std::string::npos;
      if (drop) out.resize(line);
      return drop;
    };
    for (std::size_t n = 0; n < steps_.size(); ++n) {
      const step& s = steps_[n];
      switch (s.what) {
        case step::kind::text: out += s.text; break;
        case step::kind::line_end:
          if (!line_is_dropped()) out += s.text;
          line = out.size();
          had_section = false;
          break;
        case step::kind::value: append(out, values[s.variable]); break;
        case step::kind::section:
        case step::kind::inverted:
          if (values[s.variable].empty() == (s.what == step::kind::section))
            n = s.end;
          else
            had_section = true;
          break;
        case step::kind::section_end: had_section = true; break;
      }
    }
    line_is_dropped();
    return out;
  }

 private:
  using component = kainjow::mustache::component<std::string>;
  using tag_type = kainjow::mustache::tag_type;

  struct step {
    enum class kind : std::uint8_t { text, line_end, value, section, inverted, section_end };
    kind what;
    std::string text{};        ///< of a text or a line's end
    std::size_t variable = 0;  ///< of a value or a section
    std::size_t end = 0;       ///< where a section's end stands
  };

  explicit compiled_template(bool is_html) : is_html_(is_html) {}

  /// Writes down the children of one node of the library's tree, in order.
  void flatten(const component& of) {
    for (const auto& item : of.children) {
      const std::size_t variable = template_variable(item.tag.name);
      switch (item.tag.type) {
        case tag_type::text:
          text_bytes_ += item.text.size();
          if (item.is_newline())
            steps_.push_back({step::kind::line_end, item.text});
          else if (!steps_.empty() && steps_.back().what == step::kind::text)
            steps_.back().text += item.text;
          else
            steps_.push_back({step::kind::text, item.text});
          break;
        case tag_type::variable:
        case tag_type::unescaped_variable: steps_.push_back({step::kind::value, {}, variable}); break;
        case tag_type::section_begin:
        case tag_type::section_begin_inverted: {
          const bool inverted = item.tag.type == tag_type::section_begin_inverted;
          const std::size_t begin = steps_.size();
          steps_.push_back({inverted ? step::kind::inverted : step::kind::section, {}, variable});
          flatten(item);
          steps_[begin].end = steps_.size();
          steps_.push_back({step::kind::section_end});
          break;
        }
        default: break;  // a comment; the rest was refused
      }
    }
  }

  void append(std::string& out, std::string_view value) const {
    if (!is_html_) {
      out += value;
      return;
    }
    const auto escape_of = [](char c) -> std::string_view {
      return c == '&'    ? "&amp;"
             : c == '<'  ? "&lt;"
             : c == '>'  ? "&gt;"
             : c == '"'  ? "&quot;"
             : c == '\'' ? "&apos;"
                         : "";
    };
    std::size_t from = 0;
    for (std::size_t n = 0; n < value.size(); ++n) {
      const std::string_view escape = escape_of(value[n]);
      if (escape.empty()) continue;
      out.append(value, from, n - from).append(escape);
      from = n + 1;
    }
    out.append(value, from);
  }

  std::vector<step> steps_{};
  std::size_t text_bytes_ = 0;
  bool is_html_;
};

}  // namespace detail

/// All templates of a host.
class message_templates {
 public:
  /// The default texts: every kind in English and in German.
  message_templates() {
    for (const auto& language : detail::default_languages)
      for (const auto& message : language.messages) {
        const std::string text = std::string(language.greeting) + std::string(message.text);
        set(message.kind, language.locale, {std::string(message.subject), text, detail::html_of(language, text)})
            .value();
      }
  }

  /// Adds or replaces the template of one kind in one locale. A fault names the part and the byte.
  /// Errors: template_invalid (no Mustache, an unknown variable, a partial, other delimiters, an unescaped value in the
  /// HTML part, no link where the kind carries one), too_large (a part beyond 64 KiB), invalid_argument (kind, locale).
  result<void> set(message_kind kind, std::string_view locale, const message_texts& texts) {
    const std::string key = detail::lookup_key(locale);
    if (static_cast<std::size_t>(kind) >= message_kind_count)
      return detail::fail(errc::invalid_argument, "there is no such kind of message");
    if (key.empty()) return detail::fail(errc::invalid_argument, "the template's locale is none");
    const auto compile = [&](detail::template_part part, std::string_view name, const std::string& source) {
      auto compiled = detail::compiled_template::compile(kind, part, source);
      if (!compiled) {
        auto fault = compiled.error();
        fault.message =
            "template " + std::string(to_string(kind)) + "/" + key + ", " + std::string(name) + ": " + fault.message;
        return result<detail::compiled_template>(std::move(fault));
      }
      return compiled;
    };
    const auto empty = [&](std::string_view name) {
      return detail::fail(errc::template_invalid, "template " + std::string(to_string(kind)) + "/" + key + ", " +
                                                      std::string(name) + ": is empty");
    };
    if (texts.subject.empty()) return empty("subject");
    if (texts.text.empty()) return empty("text");
    auto subject = compile(detail::template_part::subject, "subject", texts.subject);
    if (!subject) return subject.error();
    auto text = compile(detail::template_part::text, "text", detail::with_plain_lines(texts.text));
    if (!text) return text.error();
    std::optional<detail::compiled_template> html;
    if (!texts.html.empty()) {
      auto compiled = compile(detail::template_part::html, "html", detail::with_plain_lines(texts.html));
      if (!compiled) return compiled.error();
      html = std::move(*compiled);
    }
    entries_[key][static_cast<std::size_t>(kind)] = entry{std::move(*subject), std::move(*text), std::move(html)};
    return {};
  }

  /// Renders a message in the nearest locale that has a template.
  /// Errors: invalid_argument (kind; a value that is not UTF-8; an instant outside 1970 to 9999; a kind that carries a
  /// link without one).
  result<rendered_message> render(message_kind kind, std::string_view locale, const message_view& view) const {
    if (static_cast<std::size_t>(kind) >= message_kind_count)
      return detail::fail(errc::invalid_argument, "there is no such kind of message");
    if (carries_link(kind) && view.link.empty())
      return detail::fail(errc::invalid_argument, "a message of this kind carries a link, and there is none");
    const auto [language, found] = find(kind, locale);
    auto values = values_of(kind, detail::language_of(language), view);
    if (!values) return values.error();
    rendered_message out;
    out.subject = detail::without_controls(found->subject.render(*values));
    out.text = found->text.render(*values);
    if (found->html) out.html = found->html->render(*values);
    out.language = language;
    return out;
  }

  /// The language that a message of this kind is rendered in for somebody of this locale: lower case, "de" or "pt-br".
  ///
  /// Since: 0.1
  std::string language_of(message_kind kind, std::string_view locale) const { return find(kind, locale).first; }

 private:
  struct entry {
    detail::compiled_template subject;
    detail::compiled_template text;
    std::optional<detail::compiled_template> html;
  };

  std::pair<std::string, const entry*> find(message_kind kind, std::string_view locale) const {
    std::string key = detail::lookup_key(locale);
    for (;;) {
      const auto row = entries_.find(key);
      if (row != entries_.end() && row->second[static_cast<std::size_t>(kind)])
        return {key, &*row->second[static_cast<std::size_t>(kind)]};
      const auto cut = key.rfind('-');
      key = cut == std::string::npos ? std::string(default_locale) : key.substr(0, cut);  // the default always is there
    }
  }

  static result<detail::template_values> values_of(message_kind kind, detail::message_language language,
                                                   const message_view& view) {
    for (const auto& at : {view.opens_at, std::optional(view.start_by), view.deadline, view.ends_by})
      if (at)
        if (auto ok = limits::check_instant("an instant of the message", *at); !ok) return ok.error();
    detail::template_values values;
    result<void> ok;
    const auto put = [&](std::string_view name, std::string_view value) {
      std::string& clean = values[detail::template_variable(name)];
      clean = detail::without_controls(value);
      if (!limits::is_text(clean)) ok = detail::fail(errc::invalid_argument, std::string(name) + " is not UTF-8");
    };
    const auto put_instant = [&](std::string_view name, const std::optional<sys_seconds>& at) {
      if (at) put(name, detail::instant_text(language, *at, view.time_zone));
    };
    put("applicant_name", view.applicant_name);
    put("company_name", view.company_name);
    put("track", view.track);
    put("track_title", view.track_title.empty() ? view.track : view.track_title);
    put("attempt", std::to_string(view.attempt));
    // Rounded up, so that nobody comes too early.
    if (view.opens_at) put_instant("opens_at", sys_seconds(std::chrono::ceil<std::chrono::minutes>(*view.opens_at)));
    put_instant("start_by", view.start_by);
    put_instant("deadline", view.deadline);
    if (view.time_limit.count() > 0) put("time_limit", detail::span_text(language, view.time_limit));
    put_instant("ends_by", view.ends_by);
    if (carries_link(kind)) put("link", view.link);
    if (!ok) return ok.error();
    return values;
  }

  std::map<std::string, std::array<std::optional<entry>, message_kind_count>, std::less<>> entries_;
};

}  // namespace hirenow
