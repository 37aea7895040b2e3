#include "unicode/unicode.h"

#include <cstddef>
#include <cstdint>

#include "unicode/tables.h"

namespace albert_fast::unicode {
namespace {

template <unsigned shift, class First, class Second, std::size_t blocks>
unsigned look_up(const First (&stage1)[blocks], const Second* stage2, char32_t code_point) {
  const char32_t block = code_point >> shift;
  if (block >= blocks) return 0;
  return stage2[std::size_t{stage1[block]} << shift | (code_point & ((1U << shift) - 1))];
}

const tables::Record& record(char32_t code_point) {
  using namespace tables;
  return kRecords[look_up<kRecordShift>(kRecordStage1, kRecordStage2, code_point)];
}

bool has(char32_t code_point, std::uint8_t flag) { return (record(code_point).flags & flag) != 0; }

// Chapter 3.12 of the Unicode standard: syllables count through all leads, vowels and (optional) tails.
constexpr char32_t kSyllables = 0xAC00, kSyllablesEnd = 0xD7A4, kLeads = 0x1100, kVowels = 0x1161,
                   kTails = 0x11A7;
constexpr char32_t kVowelCount = 21, kTailCount = 28;

}  // namespace

const char* const kVersion = tables::kVersion;

bool is_digit(char32_t code_point) { return has(code_point, tables::kDigit); }
bool is_space(char32_t code_point) { return has(code_point, tables::kSpace); }
bool is_letter_or_digit(char32_t code_point) { return has(code_point, tables::kLetterOrDigit); }
bool is_nonspacing_mark(char32_t code_point) { return has(code_point, tables::kNonspacingMark); }
bool is_case_ignorable(char32_t code_point) { return has(code_point, tables::kCaseIgnorable); }
bool is_cased(char32_t code_point) { return has(code_point, tables::kCased); }
bool is_plain(char32_t code_point) { return !has(code_point, tables::kSpace | tables::kHasOtherForm); }

char32_t lower_case(char32_t code_point) {
  return code_point +
         static_cast<char32_t>(record(code_point).to_lower);  // unsigned: a negative step wraps around
}

Unaccented::Unaccented(char32_t code_point) {
  if (code_point >= kSyllables && code_point < kSyllablesEnd) {
    const char32_t syllable = code_point - kSyllables;
    const char32_t tail = syllable % kTailCount;
    own_[0] = kLeads + syllable / kTailCount / kVowelCount;
    own_[1] = kVowels + syllable / kTailCount % kVowelCount;
    own_[2] = kTails + tail;
    view_ = {own_, tail == 0 ? 2U : 3U};
    return;
  }
  own_[0] = code_point;
  view_ = {own_, 1};
  const unsigned form = look_up<tables::kFormShift>(tables::kFormStage1, tables::kFormStage2, code_point);
  if (form != 0) view_ = {tables::kForms + form + 1, tables::kForms[form]};
}

}  // namespace albert_fast::unicode
