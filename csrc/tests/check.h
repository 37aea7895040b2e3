#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// A test is a function that throws when it fails. Small on purpose: the C++ tests need only a compiler.
namespace albert_fast::test {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

template <class A, class B>
void check_equal(const A& a, const B& b, const char* text, const char* file, int line) {
  if (a == b) return;
  std::ostringstream message;
  message << file << ':' << line << ": " << text;
  if constexpr (requires { message << a << b; }) message << "\n    got " << a << "\n    want " << b;
  throw std::runtime_error(message.str());
}

inline void check_true(bool ok, const char* text, const char* file, int line) {
  if (ok) return;
  std::ostringstream message;
  message << file << ':' << line << ": " << text;
  throw std::runtime_error(message.str());
}

}  // namespace albert_fast::test

#define ALBERT_FAST_TEST(name)                                              \
  static void name();                                                       \
  static const ::albert_fast::test::Register register_##name{#name, &name}; \
  static void name()
#define CHECK(condition) ::albert_fast::test::check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(got, want) \
  ::albert_fast::test::check_equal((got), (want), #got " == " #want, __FILE__, __LINE__)
#define CHECK_THROWS(expression, wanted_code)                                           \
  do {                                                                                  \
    bool thrown = false;                                                                \
    try {                                                                               \
      (void)(expression);                                                               \
    } catch (const ::albert_fast::Error& error) {                                       \
      thrown = error.code() == (wanted_code);                                           \
    }                                                                                   \
    ::albert_fast::test::check_true(thrown, #expression " throws", __FILE__, __LINE__); \
  } while (false)
