// How answers about policy are shown: tables for people, JSON and JUnit for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/question/question.h"

namespace margay::verbs {

struct Shown {
  bool has_colour = false;
};

// The answer, what decided, and the way there.
std::string as_text(const policy::Answered& answer, Shown shown);
// A grid: a row for each sender, a column for each receiver, a character for each port.
std::string as_grid(const policy::Matrix& matrix, Shown shown);
// A list of {"from","to","protocol","port","verdict","decidedBy"}.
std::string as_json(const std::vector<policy::Answered>& answers);

// A test case of a JUnit report; with a failure when there is a message.
struct JunitCase {
  std::string group;
  std::string name;
  std::string failure;
};
std::string as_junit(std::string_view suite, const std::vector<JunitCase>& cases);

// "allow", "deny"
std::string_view word_of(policy::Answer answer);
// Why: the decision, or the note where nothing decided.
std::string reason_of(const policy::Answered& answer);

}  // namespace margay::verbs
