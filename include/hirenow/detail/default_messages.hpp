#pragma once
/// The texts that are sent where the host brings none: English and German, every kind.
///
/// One source serves both parts: paragraphs are parted by empty lines, and a paragraph that is the link alone becomes
/// the button of the HTML part.
/// Threads: constants and pure functions.

#include <array>
#include <string>
#include <string_view>

#include "hirenow/message.hpp"

namespace hirenow::detail {

/// The text of one kind.
struct default_message {
  message_kind kind;
  std::string_view subject;
  std::string_view text;
};

/// All texts of one language.
struct default_language {
  std::string_view locale;
  std::string_view greeting;
  std::string_view link_label;
  std::array<default_message, message_kind_count> messages;
};

inline constexpr std::array<default_language, 2> default_languages{{
    {"en",
     "Hello{{#applicant_name}} {{applicant_name}}{{/applicant_name}},\n",
     "Open the interview",
     {{
         {message_kind::invitation, "Your interview for {{track_title}}", R"(
{{#company_name}}{{company_name}} invites you{{/company_name}}{{^company_name}}You are invited{{/company_name}}
to an interview for {{track_title}}.
We are glad that you are taking part. This is your personal link:

{{link}}

{{#deadline}}You have started already; please finish by {{deadline}}.{{/deadline}}{{^deadline}}{{#opens_at}}
It opens on {{opens_at}}.
{{/opens_at}}Please start by {{start_by}}.
From then on you have {{time_limit}}{{#ends_by}},
but no longer than until {{ends_by}}{{/ends_by}}.{{/deadline}}

If your connection breaks, open the same link again and go on where you
stopped. The link is meant for you alone; please do not pass it on.

Good luck!
)"},
         {message_kind::retake_invitation, "Your new attempt: interview for {{track_title}}", R"(
You can take the interview for {{track_title}} once more{{#company_name}} at {{company_name}}{{/company_name}}.
This is attempt {{attempt}}, and a fresh start. Here is your new link:

{{link}}

Your earlier link no longer works; please use only this one.

{{#deadline}}You have started already; please finish by {{deadline}}.{{/deadline}}{{^deadline}}{{#opens_at}}
It opens on {{opens_at}}.
{{/opens_at}}Please start by {{start_by}}.
From then on you have {{time_limit}}{{#ends_by}},
but no longer than until {{ends_by}}{{/ends_by}}.{{/deadline}}

The link is meant for you alone; please do not pass it on. Good luck!
)"},
         {message_kind::reissued_link, "Your link to the interview for {{track_title}}", R"(
Here is your link to the interview for {{track_title}}{{#company_name}} at {{company_name}}{{/company_name}}:

{{link}}

Please use only this link; an older one may no longer work.

{{#deadline}}You have started already, and nothing is lost: go on where you stopped, and
please finish by {{deadline}}.{{/deadline}}{{^deadline}}{{#opens_at}}
It opens on {{opens_at}}.
{{/opens_at}}Please start by {{start_by}}.
From then on you have {{time_limit}}{{#ends_by}},
but no longer than until {{ends_by}}{{/ends_by}}.{{/deadline}}

The link is meant for you alone; please do not pass it on.
)"},
         {message_kind::reminder, "Reminder: your interview for {{track_title}}", R"(
{{#deadline}}You have started the interview for {{track_title}} and not finished it yet.
Please do so by {{deadline}}.{{/deadline}}{{^deadline}}Your interview for {{track_title}} is still waiting for you.
Please start by {{start_by}}.
From then on you have {{time_limit}}{{#ends_by}},
but no longer than until {{ends_by}}{{/ends_by}}.{{/deadline}}

{{link}}

If you have finished in the meantime, there is nothing left to do. Good luck!
)"},
         {message_kind::decision_passed, "You passed: interview for {{track_title}}", R"(
Congratulations! You passed the interview for {{track_title}}.

Thank you for your time and your good work. We will write to you soon about
what comes next.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::decision_failed, "The result of your interview for {{track_title}}", R"(
Thank you for taking the interview for {{track_title}}, and for the time and
work that you put into it.

We are sorry to tell you that you did not pass this attempt. We know that this
is not what you hoped for, and we wish you every success.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::decision_on_hold, "Your interview for {{track_title}}: not decided yet", R"(
Thank you for taking the interview for {{track_title}}.

We have not come to a decision yet. You do not need to do anything; we will
write to you as soon as there is news.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::cancelled, "Cancelled: your interview for {{track_title}}", R"(
Your interview for {{track_title}}{{#company_name}} at {{company_name}}{{/company_name}} has been cancelled.

Links that you were sent for it no longer work, and there is nothing you need
to do. If you did not expect this, please get in touch with your contact person.
)"},
     }}},
    {"de",
     "Guten Tag{{#applicant_name}} {{applicant_name}}{{/applicant_name}},\n",
     "Zum Interview",
     {{
         {message_kind::invitation, "Ihr Interview für {{track_title}}", R"(
{{#company_name}}{{company_name}} lädt Sie{{/company_name}}{{^company_name}}wir laden Sie{{/company_name}}
zu einem Interview für {{track_title}} ein.
Schön, dass Sie dabei sind. Das ist Ihr persönlicher Link:

{{link}}

{{#deadline}}Sie haben bereits begonnen; bitte schließen Sie bis {{deadline}} ab.{{/deadline}}{{^deadline}}{{#opens_at}}
Er gilt ab {{opens_at}}.
{{/opens_at}}Bitte beginnen Sie bis {{start_by}}.
Ihre Zeit von da an: {{time_limit}}{{#ends_by}},
längstens aber bis {{ends_by}}{{/ends_by}}.{{/deadline}}

Falls Ihre Verbindung abbricht, öffnen Sie denselben Link noch einmal und machen
Sie dort weiter, wo Sie aufgehört haben. Der Link ist nur für Sie bestimmt; bitte
geben Sie ihn nicht weiter.

Viel Erfolg!
)"},
         {message_kind::retake_invitation, "Ihr neuer Versuch: Interview für {{track_title}}", R"(
Sie können das Interview für {{track_title}}{{#company_name}} bei {{company_name}}{{/company_name}} noch einmal ablegen.
Dies ist Versuch {{attempt}}, und Sie beginnen von vorn. Hier ist Ihr neuer Link:

{{link}}

Ihr früherer Link gilt nicht mehr; bitte verwenden Sie nur noch diesen.

{{#deadline}}Sie haben bereits begonnen; bitte schließen Sie bis {{deadline}} ab.{{/deadline}}{{^deadline}}{{#opens_at}}
Er gilt ab {{opens_at}}.
{{/opens_at}}Bitte beginnen Sie bis {{start_by}}.
Ihre Zeit von da an: {{time_limit}}{{#ends_by}},
längstens aber bis {{ends_by}}{{/ends_by}}.{{/deadline}}

Der Link ist nur für Sie bestimmt; bitte geben Sie ihn nicht weiter. Viel Erfolg!
)"},
         {message_kind::reissued_link, "Ihr Link zum Interview für {{track_title}}", R"(
hier ist Ihr Link zum Interview für {{track_title}}{{#company_name}} bei {{company_name}}{{/company_name}}:

{{link}}

Bitte verwenden Sie nur diesen Link; ein älterer gilt möglicherweise nicht mehr.

{{#deadline}}Sie haben bereits begonnen, und nichts ist verloren: Machen Sie dort weiter, wo
Sie aufgehört haben, und schließen Sie bitte bis {{deadline}} ab.{{/deadline}}{{^deadline}}{{#opens_at}}
Er gilt ab {{opens_at}}.
{{/opens_at}}Bitte beginnen Sie bis {{start_by}}.
Ihre Zeit von da an: {{time_limit}}{{#ends_by}},
längstens aber bis {{ends_by}}{{/ends_by}}.{{/deadline}}

Der Link ist nur für Sie bestimmt; bitte geben Sie ihn nicht weiter.
)"},
         {message_kind::reminder, "Erinnerung: Ihr Interview für {{track_title}}", R"(
{{#deadline}}Sie haben das Interview für {{track_title}} begonnen und noch nicht abgeschlossen.
Bitte schließen Sie bis {{deadline}} ab.{{/deadline}}{{^deadline}}Ihr Interview für {{track_title}} wartet noch auf Sie.
Bitte beginnen Sie bis {{start_by}}.
Ihre Zeit von da an: {{time_limit}}{{#ends_by}},
längstens aber bis {{ends_by}}{{/ends_by}}.{{/deadline}}

{{link}}

Falls Sie inzwischen fertig sind, ist nichts mehr zu tun. Viel Erfolg!
)"},
         {message_kind::decision_passed, "Bestanden: Interview für {{track_title}}", R"(
herzlichen Glückwunsch! Sie haben das Interview für {{track_title}} bestanden.

Vielen Dank für Ihre Zeit und Ihre gute Arbeit. Wir schreiben Ihnen bald, wie es
weitergeht.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::decision_failed, "Das Ergebnis Ihres Interviews für {{track_title}}", R"(
vielen Dank, dass Sie am Interview für {{track_title}} teilgenommen haben, und für
die Zeit und Mühe, die Sie sich dafür genommen haben.

Leider müssen wir Ihnen mitteilen, dass Sie diesen Versuch nicht bestanden haben.
Wir wissen, dass Sie sich etwas anderes erhofft haben, und wünschen Ihnen viel
Erfolg für alles Weitere.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::decision_on_hold, "Ihr Interview für {{track_title}}: noch nicht entschieden", R"(
vielen Dank, dass Sie am Interview für {{track_title}} teilgenommen haben.

Wir haben noch keine Entscheidung getroffen. Sie brauchen nichts zu tun; wir
schreiben Ihnen, sobald es Neues gibt.{{#company_name}}

{{company_name}}{{/company_name}}
)"},
         {message_kind::cancelled, "Abgesagt: Ihr Interview für {{track_title}}", R"(
Ihr Interview für {{track_title}}{{#company_name}} bei {{company_name}}{{/company_name}} wurde abgesagt.

Links, die Sie dafür erhalten haben, gelten nicht mehr, und Sie brauchen nichts zu
tun. Falls Sie das nicht erwartet haben, wenden Sie sich bitte an Ihre
Ansprechperson.
)"},
     }}},
}};

/// The HTML part of a text: paragraphs, and the link as a button with its address beneath it.
inline std::string html_of(const default_language& language, std::string_view text) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"" + std::string(language.locale) +
                     "\">\n<head><meta charset=\"utf-8\"></head>\n"
                     "<body style=\"font-family:sans-serif;line-height:1.5;max-width:36em;margin:1em auto;"
                     "padding:0 1em\">\n";
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    auto paragraph = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
    while (!paragraph.empty() && paragraph.back() == '\n') paragraph.remove_suffix(1);
    if (paragraph == "{{link}}")
      html +=
          "<p><a href=\"{{link}}\" style=\"display:inline-block;padding:.6em 1.2em;border-radius:.3em;"
          "background:#1a56db;color:#ffffff;text-decoration:none\">" +
          std::string(language.link_label) + "</a></p>\n<p style=\"font-size:small\">{{link}}</p>\n";
    else
      html += "<p>" + std::string(paragraph) + "</p>\n";
  }
  return html + "</body>\n</html>\n";
}

}  // namespace hirenow::detail
