// The campaigns: see campaign.hpp.
//
//   campaigns [--full] [--seed N] [--planted DEFECT] CAMPAIGN...
//
// Run through tests/support/postgres.sh run. With a planted defect the program must fail.

#include <iostream>
#include <map>

#include "campaigns/campaign.hpp"
#include "crash/planted.hpp"

int main(int count, char** arguments) {
  const std::map<std::string, void (*)(const campaign::plan&, campaign::verdicts&)> all{
      {"kills", campaign::kills},     {"stops", campaign::stops}, {"cuts", campaign::cuts},
      {"zombies", campaign::zombies}, {"crowd", campaign::crowd}, {"backlog", campaign::backlog},
  };
  campaign::plan how{.seed = std::random_device{}()};
  std::vector<std::string> wanted;
  const std::vector<std::string> told(arguments + 1, arguments + count);
  for (std::size_t n = 0; n < told.size(); ++n) {
    if (told[n] == "--full") {
      how.full = true;
    } else if (told[n] == "--seed" && n + 1 < told.size()) {
      how.seed = std::stoull(told[++n]);
    } else if (told[n] == "--planted" && n + 1 < told.size()) {
      how.planted = true;
      // What is planted in the server, a campaign does itself.
      if (!crash::plant(told[++n]) && told[n] != "asynchronous_commit") {
        std::cerr << "there is no defect " << told[n] << "\n";
        return 2;
      }
      std::cout << "planted: " << told[n] << ", which must be found" << std::endl;
    } else if (all.contains(told[n])) {
      wanted.push_back(told[n]);
    } else {
      std::cerr << "there is no campaign " << told[n] << "\n";
      return how.planted ? 0 : 2;
    }
  }
  if (wanted.empty())
    for (const auto& [name, run] : all) wanted.push_back(name);
  campaign::verdicts v;
  try {
    crash::key_document();
    for (const auto& name : wanted) {
      std::cout << name << (how.full ? " in full" : "") << ", seed " << how.seed << std::endl;
      // Harm comes by chance: a planted defect gets five rounds to show itself.
      for (int rounds = how.planted ? 5 : 1; rounds > 0 && v.failures() == 0; --rounds) all.at(name)(how, v);
    }
  } catch (const std::exception& e) {
    if (how.planted) {
      std::cerr << "nothing was proven: " << e.what() << "\n";
      return 0;
    }
    v.check(false, "the test itself", e.what());
  }
  std::cout << v.checks() - v.failures() << " passed, " << v.failures() << " failed" << std::endl;
  return v.failures() == 0 ? 0 : 1;
}
