#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace albert_fast::columns {

/// Strings that look into shared bytes: words are places in the document's text, not copies of it. A view
/// without data is no string at all (an absent metadata value), unlike an empty one.
struct Strings {
  std::shared_ptr<const std::string> bytes;
  std::vector<std::string_view> views;
};

/// Collects strings of its own, one after the other.
class StringsBuilder {
 public:
  void reserve(std::size_t count, std::size_t bytes) {
    ends_.reserve(count);
    bytes_.reserve(bytes);
  }
  [[nodiscard]] std::string& bytes() { return bytes_; }
  /// What was appended to `bytes()` since the last string is the next one.
  void end_string() { ends_.push_back(bytes_.size()); }
  void add(std::string_view string) {
    bytes_ += string;
    end_string();
  }
  [[nodiscard]] Strings take() {
    Strings strings{std::make_shared<const std::string>(std::move(bytes_)), {}};
    strings.views.reserve(ends_.size());
    const std::string_view all = *strings.bytes;
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      strings.views.push_back(all.substr(begin, end - begin));
      begin = end;
    }
    return strings;
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace albert_fast::columns
