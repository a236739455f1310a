// Connections that are cut in the middle of a commit, and workers that stand still past their lease.

#include <map>

#include "campaigns/campaign.hpp"
#include "support/postgres_proxy.hpp"

namespace campaign {
namespace {

using hirenow::errc;

/// An interview that failed, ready to be retaken.
interview_id failed_interview(hirenow::engine& e, const std::string& who) {
  const auto invited = must(e.schedule(invitation(who), recruiter));
  const auto open = must(e.start(token_of(invited.link), "session-key-of-" + who + "-0123"));
  must(e.submit(open.session));
  must(e.decide(invited.interview.id, reviewer, {.outcome = outcome::failed, .notify = hirenow::notify::none()}));
  return invited.interview.id;
}

}  // namespace

void cuts(const plan& how, verdicts& v) {
  const fresh_schema schema;
  hirenow::test::postgres_proxy proxy;
  const std::string name = schema.name + "_cuts";
  node n(proxy.url() + "&application_name=" + name, schema.name, 1);
  const oracle::schema sql(schema.url, schema.name);
  int made = 0, unknown = 0, replayed = 0, cut = 0;
  for (int round = 0; round < (how.full ? 5 : 1); ++round)
    for (const bool after : {false, true})
      for (std::uint64_t at = 1;; ++at) {
        const std::string who = "person-" + std::to_string(++made), key = "click of " + who;
        const std::string where = "message " + std::to_string(at) + (after ? ", after it" : ", before it");
        const interview_id failed = failed_interview(n.w.engine, who);
        // Cut there, and nobody can be asked what became of it.
        proxy.then_stay_away();
        proxy.cut(at, after);
        const auto first = n.w.engine.retake(failed, recruiter, {.idempotency_key = key});
        const bool was_cut = proxy.has_cut();
        proxy.do_not_cut();
        proxy.come_back();
        if (!was_cut) {
          v.check(first.has_value(), where, "uncut, it is refused");
          break;
        }
        ++cut;
        // The server learns late that nobody listens any more, and ends first what it was told.
        while (sql.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name + "'") != 0)
          std::this_thread::sleep_for(1ms);
        const auto code = first ? errc{} : first.error().code;
        v.check(code == errc::store_outcome_unknown || code == errc::store_unavailable, where,
                "cut, it says " + (first ? std::string("done") : std::string(to_string(code))));
        if (code == errc::store_outcome_unknown) ++unknown;
        const std::string record =
            " JOIN hirenow_applicant AS a USING (applicant_no) WHERE a.applicant = '" + who + "'";
        const bool was_done = sql.number("SELECT count(*) FROM hirenow_interview" + record) == 2;
        v.check(!was_done || code == errc::store_outcome_unknown, where,
                "it was done, and the caller is told otherwise");
        const auto again = n.w.engine.retake(failed, recruiter, {.idempotency_key = key});
        v.check(again.has_value(), where, "the key does not tell: " + (again ? "" : again.error().message));
        if (again) {
          v.check(again->replayed == was_done, where, "done twice, or not at all");
          replayed += again->replayed ? 1 : 0;
        }
        v.check(sql.number("SELECT count(*) FROM hirenow_interview" + record) == 2, where, "not one retake");
        v.check(sql.number("SELECT count(*) FROM hirenow_outbox AS m" + record + " AND m.kind = 1") == 1, where,
                "not one message");
      }
  std::cout << "  " << cut << " cuts, " << unknown << " outcomes unknown, of which " << replayed << " had been done"
            << std::endl;
  v.check(unknown > 0 && replayed > 0 && replayed < unknown, "the campaign", "no outcome was in doubt");
  for (const auto& broken : sql.broken_promises()) v.check(false, "all of it", broken);
}

void zombies(const plan& how, verdicts& v) {
  const fresh_schema schema;
  const temporary_folder folder;
  const journal told(folder.path() / "journal");
  const mail_sink sink(folder.path() / "mail");
  node host(schema.url, schema.name);
  const oracle::schema sql(schema.url, schema.name);
  const auto options = [] {
    hirenow::dispatcher_options o{.sender = {"jobs@acme.example", "Acme"}};
    o.lease = 2s;
    o.renew_every = 1s;
    return o;
  };
  // Delivers, but takes as long as it is told before.
  class slow_mailer final : public hirenow::mailer {
   public:
    slow_mailer(std::unique_ptr<hirenow::mailer> next, const journal& words, int gate)
        : next_(std::move(next)), told_(words), gate_(gate) {}
    hirenow::delivery send(const hirenow::outgoing_mail& mail) override {
      told_.write("sends " + mail.message_id);
      char unused = 0;
      if (::read(gate_, &unused, 1) < 0) ::_exit(8);
      return next_->send(mail);
    }

   private:
    std::unique_ptr<hirenow::mailer> next_;
    const journal& told_;
    int gate_;
  };
  const auto count = [&](const std::string& word) {
    const auto lines = told.lines();
    return std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line[0] == word; });
  };
  const auto dispatch = [&](const std::string& name, std::unique_ptr<hirenow::mailer> mailer, bool stops_before) {
    node own(schema.url, schema.name);
    auto how_to = options();
    // Stands still after the message was claimed, and before it is sent.
    if (stops_before)
      how_to.track_title = [&](std::string_view, std::string_view track, std::string_view) {
        told.write("renders");
        ::raise(SIGSTOP);
        return std::string(track);
      };
    hirenow::dispatcher d(own.w.engine, *mailer, how_to);
    const auto done = must(d.dispatch_due());
    const bool counted = prometheus_text(must(d.stats())).find("{outcome=\"lost\"} 1\n") != std::string::npos;
    told.write(name + " " + std::to_string(done.accepted) + " " + std::to_string(done.lost + done.released) + " " +
               std::to_string(counted));
  };
  mail_folder arrived(sink.folder());
  const auto words_of = [&](const std::string& name) {
    std::vector<std::string> found;
    for (const auto& line : told.lines())
      if (line[0] == name) found = line;
    found.resize(4);
    return found;
  };
  for (int round = 0; round < (how.full ? 20 : 2); ++round) {
    const bool before = round % 2 == 1;
    const std::string where = "round " + std::to_string(round) + (before ? ", before sending" : ", while sending");
    must(host.w.engine.schedule(invitation("person-" + std::to_string(round)), recruiter));
    int gate[2], heirs_gate[2];
    if (::pipe(gate) != 0 || ::pipe(heirs_gate) != 0) throw std::runtime_error("no pipe");
    const auto begun = count("sends") + count("renders");
    const pid_t zombie =
        fork_and([&] { dispatch("zombie", std::make_unique<slow_mailer>(sink.mailer(), told, gate[0]), before); });
    while (count("sends") + count("renders") == begun) std::this_thread::sleep_for(5ms);
    if (!before) ::kill(zombie, SIGSTOP);
    int status = 0;
    ::waitpid(zombie, &status, WUNTRACED);
    v.check(WIFSTOPPED(status), where, "the worker does not stand still");
    // Past its lease by the server's clock.
    while (sql.number("SELECT count(*) FROM hirenow_outbox WHERE state = 1 AND wake_at <= extract(epoch FROM now())") ==
           0)
      std::this_thread::sleep_for(20ms);
    // The heir is in the middle of its work, and holds the message, when the zombie goes on.
    const auto before_heir = count("sends");
    const pid_t heir =
        fork_and([&] { dispatch("heir", std::make_unique<slow_mailer>(sink.mailer(), told, heirs_gate[0]), false); });
    while (count("sends") == before_heir) std::this_thread::sleep_for(5ms);
    ::kill(zombie, SIGCONT);
    if (::write(gate[1], "go", 2) != 2) throw std::runtime_error("no gate");
    v.check(await(zombie) == 0, where, "the zombie failed");
    if (::write(heirs_gate[1], "go", 2) != 2) throw std::runtime_error("no gate");
    v.check(await(heir) == 0, where, "the heir failed");
    for (const int end : {gate[0], gate[1], heirs_gate[0], heirs_gate[1]}) ::close(end);
    v.check(words_of("heir")[1] == "1", where, "another did not take over");
    v.check(words_of("zombie")[1] == "0", where, "I3: the zombie wrote down that its mail was accepted");
    v.check(words_of("zombie")[2] == "1", where, "the fence did not refuse the zombie");
    v.check(words_of("zombie")[3] == "1", where, "the metric does not count the zombie");
    const auto copies = arrived.take();
    v.check(copies.size() == 1 && copies.begin()->second == (before ? 1 : 2), where,
            before ? "the zombie sent although its lease was over" : "not the copies of a mail that was under way");
    v.check(sql.number("SELECT count(*) FROM hirenow_outbox WHERE state = 2 AND tries = 1") == round + 1, where,
            "the message was not settled once");
  }
  std::cout << "  " << (how.full ? 20 : 2) << " zombies" << std::endl;
}

}  // namespace campaign
