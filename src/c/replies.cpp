/// What a callback answers through its reply.

#include "rows.hpp"

using namespace hirenow;
using namespace hirenow::c;

extern "C" {

hirenow_status hirenow_reply_fail(hirenow_reply* reply, hirenow_status status, const char* message,
                                  const char* reason) {
  const auto code = status == HIRENOW_OK ? errc::internal : static_cast<errc>(status_of(static_cast<errc>(status)));
  if (reply)
    (void)guard(nullptr, [&]() -> result<void> {
      reply->failed.emplace(error{.code = code});
      *reply->failed = {.code = code, .message = string(message), .reason = string(reason)};
      return {};
    });
  return static_cast<hirenow_status>(code);
}
hirenow_status hirenow_reply_set_delivery(hirenow_reply* reply, int32_t code, const char* answer) {
  return fill(reply, &hirenow_reply::said, [&](delivery& d) {
    d.answer = string(answer);
    d.code = code;
  });
}
hirenow_status hirenow_reply_set_rendered(hirenow_reply* reply, const char* subject, const char* body, const char* html,
                                          const char* language) {
  return fill(reply, &hirenow_reply::texts,
              [&](rendered_message& m) { m = {string(subject), string(body), string(html), string(language)}; });
}
hirenow_status hirenow_reply_set_record(hirenow_reply* reply, const hirenow_record_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { read_head(out.record, row); });
}
hirenow_status hirenow_reply_add_interview(hirenow_reply* reply, const hirenow_interview_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.interviews.push_back(interview_of(row)); });
}
hirenow_status hirenow_reply_add_fact(hirenow_reply* reply, const hirenow_fact_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.facts.push_back(fact_of(row)); });
}
hirenow_status hirenow_reply_add_waiver(hirenow_reply* reply, const hirenow_waiver_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.waivers.push_back(waiver_of(row)); });
}
hirenow_status hirenow_reply_add_policy(hirenow_reply* reply, const hirenow_policy_row* row) {
  return fill(reply, &hirenow_reply::policies, [&](auto& out) { out.push_back(policy_of(row)); });
}
hirenow_status hirenow_reply_set_policy(hirenow_reply* reply, const hirenow_policy_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.policy = policy_of(row); });
}
hirenow_status hirenow_reply_set_answer(hirenow_reply* reply, const hirenow_answer_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.answer = answer_of(row); });
}
hirenow_status hirenow_reply_set_progress(hirenow_reply* reply, const void* bytes, size_t size, int64_t saved_at) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) {
    if (size) need(bytes, "progress");
    out.progress =
        progress{size ? std::string(static_cast<const char*>(bytes), size) : std::string(), at(saved_at, "saved_at")};
  });
}
hirenow_status hirenow_reply_add_list_row(hirenow_reply* reply, const char* applicant_id, const char* name,
                                          const char* email, const hirenow_interview_row* row) {
  return fill(reply, &hirenow_reply::page, [&](list_page& out) {
    out.rows.push_back({string(applicant_id), string(name), string(email), interview_of(row)});
    out.rows.back().interview.sitting = {};
  });
}
hirenow_status hirenow_reply_set_counts(hirenow_reply* reply, const uint64_t* counts) {
  return fill(reply, &hirenow_reply::page, [&](list_page& out) {
    need(counts, "counts");
    out.counts.emplace();
    std::copy(counts, counts + interview_state_count, out.counts->begin());
  });
}
hirenow_status hirenow_reply_set_next(hirenow_reply* reply, const char* cursor) {
  if (reply && reply->due) return fill(reply, &hirenow_reply::due, [&](due_page& out) { out.next = string(cursor); });
  return fill(reply, &hirenow_reply::page, [&](list_page& out) { out.next = string(cursor); });
}
hirenow_status hirenow_reply_add_due(hirenow_reply* reply, const char* tenant, const char* applicant_id,
                                     int64_t limit) {
  return fill(reply, &hirenow_reply::due,
              [&](due_page& out) { out.rows.push_back({string(tenant), string(applicant_id), at(limit, "limit")}); });
}
hirenow_status hirenow_reply_add_claimed(hirenow_reply* reply, const char* tenant, const char* applicant_id,
                                         const hirenow_message_row* row) {
  return fill(reply, &hirenow_reply::claimed,
              [&](auto& out) { out.push_back({string(tenant), string(applicant_id), message_of(row)}); });
}
hirenow_status hirenow_reply_add_message(hirenow_reply* reply, const hirenow_message_row* row) {
  return fill(reply, &hirenow_reply::mails, [&](auto& out) { out.push_back(message_of(row)); });
}
hirenow_status hirenow_reply_add_audit(hirenow_reply* reply, const hirenow_audit_row* row) {
  return fill(reply, &hirenow_reply::entries, [&](auto& out) { out.push_back(entry_of(row)); });
}
hirenow_status hirenow_reply_add_head(hirenow_reply* reply, const char* applicant_id, uint64_t sequence,
                                      const uint8_t* hash) {
  return fill(reply, &hirenow_reply::heads, [&](auto& out) {
    need(hash, "hash");
    digest d;
    std::copy(hash, hash + d.size(), d.begin());
    out.push_back({string(applicant_id), sequence, d});
  });
}

}  // extern "C"
