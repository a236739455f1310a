#pragma once
/// The demonstration's mailer: what it is handed is kept in a table, and `/inbox` shows it.

#include "database.hpp"
#include "hirenow/mailer.hpp"

namespace ats {

/// Addresses at `undeliverable.example` are refused for good, so that there are dead letters to look at.
/// Threads: any.
class inbox_mailer final : public hirenow::mailer {
 public:
  inbox_mailer(database& data, const hirenow::clock& clock) : data_(data), clock_(clock) {}
  hirenow::delivery send(const hirenow::outgoing_mail& mail) override;

 private:
  database& data_;
  const hirenow::clock& clock_;
};

}  // namespace ats
