#pragma once
/// The engine's calls as Asio operations: the same use cases for programs that must not block. The only header that
/// includes Asio.
///
/// Stores block, so every call runs on a pool that the host chooses, for example a `boost::asio::thread_pool`, and
/// never on the thread that asks. Each member takes the arguments of the engine's function of the same name, by value,
/// and a completion token (a callback, `use_future`, `use_awaitable`, `deferred`) for the signature `void(result<T>)`.
/// The completion is delivered through the handler's associated executor, whose work counts as outstanding until then;
/// a handler without one is called on the pool.
///
/// Per-operation cancellation, of any type, takes effect until the pool begins with the call: it then ends at once with
/// `operation_aborted`, and nothing was done. A call that has begun is finished, and its true answer delivered: what is
/// committed cannot be taken back. What an adapter throws arrives as `internal`, want of memory as `out_of_memory`.
/// Threads: an async_engine serves any thread.

#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "hirenow/detail/guarded.hpp"
#include "hirenow/engine.hpp"

namespace hirenow {

namespace detail {

/// One call under way: whoever takes it first, the pool or a cancellation, completes it.
template <class Answer, class Call, class Handler>
class async_operation {
 public:
  async_operation(Call call, Handler handler, const boost::asio::any_io_executor& pool)
      : call_(std::move(call)), work_(boost::asio::make_work_guard(handler, pool)), handler_(std::move(handler)) {}

  /// On the pool: makes the call, unless it was cancelled.
  static void run(std::shared_ptr<async_operation> self) {
    if (self->taken_.exchange(true)) return;
    auto answer = guarded(self->call_);
    complete(std::move(self), std::move(answer),
             [](const auto& executor, auto handler) { boost::asio::dispatch(executor, std::move(handler)); });
  }

  /// On the thread that cancels: completes, unless the call has begun. The handler never runs inside the cancellation.
  static void cancel(std::shared_ptr<async_operation> self) {
    if (self->taken_.exchange(true)) return;
    complete(std::move(self), fail(errc::operation_aborted, "cancelled before it began"),
             [](const auto& executor, auto handler) { boost::asio::post(executor, std::move(handler)); });
  }

 private:
  template <class Submit>
  static void complete(std::shared_ptr<async_operation> self, Answer answer, Submit submit) {
    // The handler is free to begin the next operation or to end the program: nothing of this one outlives its call.
    const auto work = std::move(self->work_);
    auto handler = boost::asio::append(std::move(self->handler_), std::move(answer));
    self.reset();
    submit(work.get_executor(), std::move(handler));
  }

  std::atomic<bool> taken_{false};
  Call call_;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>> work_;
  Handler handler_;
};

}  // namespace detail

/// An engine whose calls are Asio operations. A small handle, cheap to copy.
/// Returns, in each call: what the completion token gives; it is handed the answer of the blocking call of that name, of
/// the same type and with the same errors. Arguments are copied, so they may die before the answer comes.
class async_engine {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Owns: borrows the engine. The engine, and the pool behind the executor, must outlive every operation; a pool that
  /// is stopped drops what it has not begun, and those handlers are destroyed without being called. The context behind a
  /// handler's own executor must outlive the pool's threads: one of them holds that executor for a moment longer than
  /// the completion takes. So join the pool first.
  async_engine(engine& blocking, executor_type pool) : engine_(&blocking), pool_(std::move(pool)) {}

  /// Where the blocking calls run.
  executor_type get_executor() const { return pool_; }

  // Inviting.

  /// `engine::schedule`.
  template <class Token>
  auto async_schedule(schedule_request request, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::schedule, std::move(request), std::move(who));
  }
  /// `engine::retake_eligibility`.
  template <class Token>
  auto async_retake_eligibility(interview_id id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::retake_eligibility, id, std::move(who));
  }
  /// `engine::retake`.
  template <class Token>
  auto async_retake(interview_id id, actor who, retake_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::retake, id, std::move(who), std::move(options));
  }
  /// `engine::reissue`.
  template <class Token>
  auto async_reissue(interview_id id, actor who, reissue_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::reissue, id, std::move(who), std::move(options));
  }
  /// `engine::request_link`.
  template <class Token>
  auto async_request_link(std::string link_token, std::string idempotency_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::request_link, std::move(link_token), std::move(idempotency_key));
  }

  // The applicant's sitting.

  /// `engine::inspect`.
  template <class Token>
  auto async_inspect(std::string link_token, Token&& token) const {
    return run(std::forward<Token>(token), &engine::inspect, std::move(link_token));
  }
  /// `engine::start`.
  template <class Token>
  auto async_start(std::string link_token, std::string session_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::start, std::move(link_token), std::move(session_key));
  }
  /// `engine::resume`.
  template <class Token>
  auto async_resume(std::string link_token, std::string session_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::resume, std::move(link_token), std::move(session_key));
  }
  /// `engine::checkpoint`.
  template <class Token>
  auto async_checkpoint(session open, std::string progress, Token&& token) const {
    return run(std::forward<Token>(token), &engine::checkpoint, std::move(open), std::move(progress));
  }
  /// `engine::submit`.
  template <class Token>
  auto async_submit(session open, submit_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::submit, std::move(open), std::move(options));
  }
  /// `engine::withdraw`.
  template <class Token>
  auto async_withdraw(std::string link_token, withdraw_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::withdraw, std::move(link_token), std::move(options));
  }

  // Deciding.

  /// `engine::decide`.
  template <class Token>
  auto async_decide(interview_id id, actor who, decision what, Token&& token) const {
    return run(std::forward<Token>(token), &engine::decide, id, std::move(who), std::move(what));
  }
  /// `engine::reopen`.
  template <class Token>
  auto async_reopen(interview_id id, actor who, reopen_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::reopen, id, std::move(who), std::move(options));
  }
  /// `engine::void_attempt`.
  template <class Token>
  auto async_void_attempt(interview_id id, actor who, void_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::void_attempt, id, std::move(who), std::move(options));
  }
  /// `engine::accommodate`.
  template <class Token>
  auto async_accommodate(interview_id id, actor who, accommodate_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::accommodate, id, std::move(who), std::move(options));
  }
  /// `engine::cancel`.
  template <class Token>
  auto async_cancel(interview_id id, actor who, cancel_options options, Token&& token) const {
    return run(std::forward<Token>(token), &engine::cancel, id, std::move(who), std::move(options));
  }
  /// `engine::update_applicant`.
  template <class Token>
  auto async_update_applicant(applicant person, actor who, std::string idempotency_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::update_applicant, std::move(person), std::move(who),
               std::move(idempotency_key));
  }
  /// `engine::record_fact`.
  template <class Token>
  auto async_record_fact(std::string applicant_id, fact what, actor who, std::string idempotency_key,
                         Token&& token) const {
    return run(std::forward<Token>(token), &engine::record_fact, std::move(applicant_id), std::move(what),
               std::move(who), std::move(idempotency_key));
  }
  /// `engine::set_policy`.
  template <class Token>
  auto async_set_policy(std::string track, std::string document, actor who, activation when, Token&& token) const {
    return run(std::forward<Token>(token), &engine::set_policy, std::move(track), std::move(document), std::move(who),
               when);
  }
  /// `engine::grant_waiver`.
  template <class Token>
  auto async_grant_waiver(waiver_request request, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::grant_waiver, std::move(request), std::move(who));
  }
  /// `engine::approve_waiver`.
  template <class Token>
  auto async_approve_waiver(std::string applicant_id, std::uint64_t number, actor who, waiver_step_options options,
                            Token&& token) const {
    return run(std::forward<Token>(token), &engine::approve_waiver, std::move(applicant_id), number, std::move(who),
               std::move(options));
  }
  /// `engine::revoke_waiver`.
  template <class Token>
  auto async_revoke_waiver(std::string applicant_id, std::uint64_t number, actor who, waiver_step_options options,
                           Token&& token) const {
    return run(std::forward<Token>(token), &engine::revoke_waiver, std::move(applicant_id), number, std::move(who),
               std::move(options));
  }
  /// `engine::redrive`.
  template <class Token>
  auto async_redrive(message_key key, actor who, std::string idempotency_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::redrive, key, std::move(who), std::move(idempotency_key));
  }
  /// `engine::drop`.
  template <class Token>
  auto async_drop(message_key key, actor who, std::string idempotency_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::drop, key, std::move(who), std::move(idempotency_key));
  }
  /// `engine::erase_applicant`.
  template <class Token>
  auto async_erase_applicant(std::string applicant_id, actor who, std::string idempotency_key, Token&& token) const {
    return run(std::forward<Token>(token), &engine::erase_applicant, std::move(applicant_id), std::move(who),
               std::move(idempotency_key));
  }
  /// `engine::sweep`.
  template <class Token>
  auto async_sweep(std::size_t limit, Token&& token) const {
    return run(std::forward<Token>(token), &engine::sweep, limit);
  }

  // Reading.

  /// `engine::policies`.
  template <class Token>
  auto async_policies(std::string track, actor who, std::optional<policy_place> before, std::size_t limit,
                      Token&& token) const {
    return run(std::forward<Token>(token), &engine::policies, std::move(track), std::move(who), before, limit);
  }
  /// `engine::what_if`.
  template <class Token>
  auto async_what_if(what_if_query query, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::what_if, std::move(query), std::move(who));
  }
  /// `engine::waivers`.
  template <class Token>
  auto async_waivers(std::string applicant_id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::waivers, std::move(applicant_id), std::move(who));
  }
  /// `engine::find`.
  template <class Token>
  auto async_find(interview_id id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::find, id, std::move(who));
  }
  /// `engine::permitted_actions`.
  template <class Token>
  auto async_permitted_actions(interview_id id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::permitted_actions, id, std::move(who));
  }
  /// `engine::list`.
  template <class Token>
  auto async_list(dashboard_query query, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::list, std::move(query), std::move(who));
  }
  /// `engine::history`.
  template <class Token>
  auto async_history(interview_id id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::history, id, std::move(who));
  }
  /// `engine::read_progress`.
  template <class Token>
  auto async_read_progress(interview_id id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::read_progress, id, std::move(who));
  }
  /// `engine::read_audit`.
  template <class Token>
  auto async_read_audit(std::string applicant_id, actor who, std::uint64_t after, std::size_t limit,
                        Token&& token) const {
    return run(std::forward<Token>(token), &engine::read_audit, std::move(applicant_id), std::move(who), after, limit);
  }
  /// `engine::verify_audit`.
  template <class Token>
  auto async_verify_audit(std::string applicant_id, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::verify_audit, std::move(applicant_id), std::move(who));
  }
  /// `engine::audit_checkpoint`.
  template <class Token>
  auto async_audit_checkpoint(actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::audit_checkpoint, std::move(who));
  }
  /// `engine::verify_audit_checkpoint`.
  template <class Token>
  auto async_verify_audit_checkpoint(std::string checkpoint, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::verify_audit_checkpoint, std::move(checkpoint), std::move(who));
  }
  /// `engine::read_messages`.
  template <class Token>
  auto async_read_messages(message_query query, actor who, Token&& token) const {
    return run(std::forward<Token>(token), &engine::read_messages, query, std::move(who));
  }
  /// `engine::link_of`, for an actor.
  template <class Token>
  auto async_link_of(interview_id id, actor who, Token&& token) const {
    using of_actor = result<std::string> (engine::*)(const interview_id&, const actor&) const;
    return run(std::forward<Token>(token), static_cast<of_actor>(&engine::link_of), id, std::move(who));
  }

 private:
  /// Makes one call on the pool. `message_query::tenant` is set by the engine itself, so that no argument refers to
  /// memory of the caller's.
  template <class Token, class Function, class... Arguments>
  auto run(Token&& token, Function function, Arguments... arguments) const {
    auto call = [blocking = engine_, function, kept = std::make_tuple(std::move(arguments)...)]() mutable {
      return std::apply([&](auto&... each) { return (blocking->*function)(each...); }, kept);
    };
    using call_type = decltype(call);
    using answer = std::invoke_result_t<call_type&>;
    return boost::asio::async_initiate<Token, void(answer)>(
        [pool = pool_](auto handler, call_type kept) {
          using operation = detail::async_operation<answer, call_type, decltype(handler)>;
          auto slot = boost::asio::get_associated_cancellation_slot(handler);
          auto begun = std::make_shared<operation>(std::move(kept), std::move(handler), pool);
          if (slot.is_connected())
            slot.assign([waiting = std::weak_ptr(begun)](boost::asio::cancellation_type) {
              if (auto found = waiting.lock()) operation::cancel(std::move(found));
            });
          boost::asio::post(pool, [begun = std::move(begun)]() mutable { operation::run(std::move(begun)); });
        },
        token, std::move(call));
  }

  engine* engine_;
  executor_type pool_;
};

}  // namespace hirenow
