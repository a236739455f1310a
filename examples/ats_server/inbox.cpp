#include "inbox.hpp"

#include <charconv>

#include "office.hpp"

namespace ats {

hirenow::delivery inbox_mailer::send(const hirenow::outgoing_mail& mail) {
  if (mail.to_address.ends_with("@undeliverable.example"))
    return {hirenow::delivery_outcome::permanent, 550, "550 5.1.1 no such mailbox"};
  try {
    data_.keep_mail({mail.message_id, mail.to_address, mail.subject, mail.text, mail.language, clock_.now()});
    return {hirenow::delivery_outcome::accepted, 250, "250 2.0.0 kept"};
  } catch (const std::exception& e) {
    return {hirenow::delivery_outcome::temporary, 0, e.what()};
  }
}

namespace {

/// A mail's text as HTML: what looks like an address of ours is one to click on.
std::string with_links(std::string_view text, const std::string& base) {
  std::string out;
  for (;;) {
    const auto at = text.find(base);
    out += escaped(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    const auto end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string link = escaped(text.substr(at, end - at));
    out += "<a class=\"mail-link\" href=\"" + link + "\">" + link + "</a>";
    text.remove_prefix(end);
  }
}

}  // namespace

response answer_inbox(office& o, const request& asked) {
  const language l = language_of(asked);
  if (asked.path == "/clock" && asked.is_post) {
    long hours = 0;
    const auto text = asked.form["hours"];
    std::from_chars(text.data(), text.data() + text.size(), hours);
    long seconds = 0;
    const auto more = asked.form["seconds"];
    std::from_chars(more.data(), more.data() + more.size(), seconds);
    if (hours < 0 || hours > 24 * 366 || seconds < 0 || seconds > 86400) return redirect("/inbox");
    o.clock.put_forward(hirenow::seconds{hours * 3600 + seconds});
    o.data.set("clock_offset", std::to_string(o.clock.offset().count()));
    (void)o.engine.sweep();
    o.wake();
    return redirect("/inbox");
  }
  const std::string_view to = asked.query["to"];
  list mails;
  for (const auto& m : o.data.newest_mail(to, 40)) {
    data row;
    row.set("to", m.to);
    row.set("subject", m.subject);
    row.set("at", instant_in(l, m.at, o.time_zone));
    row.set("language", m.language.empty() ? std::string("en") : m.language);
    row.set("text", with_links(m.text, o.base + "/go#"));
    mails.push_back(row);
  }
  data values;
  values.set("title", o.views.word(l, "inbox.title"));
  values.set("any", !mails.empty());
  values.set("mails", listed(std::move(mails)));
  values.set("to", std::string(to));
  values.set("now", instant_in(l, o.clock.now(), o.time_zone));
  return plain_page(o, l, "inbox", std::move(values));
}

}  // namespace ats
