#include "encoder/kept_tokens.h"
#include "tests/check.h"

namespace albert_fast::encoder {
namespace {

using Numbers = std::vector<std::int32_t>;

/// Sequences of 4, 2 and 3 tokens.
KeptTokens keep(const Numbers& row_splits, const Numbers& row_tokens) {
  const Numbers ids(9, 1), positions(9, 0), cu_seqlens{0, 4, 6, 9};
  return KeptTokens({ids, positions, cu_seqlens, row_splits, row_tokens, 0});
}

}  // namespace

ALBERT_FAST_TEST(kept_tokens_are_those_that_rows_read) {
  // Rows may share tokens, name them in any order, and pass a sequence by.
  const KeptTokens kept = keep({0, 2, 2, 3, 5}, {2, 1, 2, 8, 6});
  CHECK(kept.tokens == Numbers({1, 2, 6, 8}));
  CHECK(kept.cu_kept == Numbers({0, 2, 2, 4}));
  CHECK(kept.row_places == Numbers({1, 0, 1, 3, 2}));
}

ALBERT_FAST_TEST(all_tokens_or_none_may_be_kept) {
  const KeptTokens all = keep({0, 9}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(all.tokens == Numbers({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(all.cu_kept == Numbers({0, 4, 6, 9}));
  CHECK(all.row_places == all.tokens);
  const KeptTokens none = keep({0, 0, 0}, {});  // rows without tokens: operators get something to do
  CHECK(none.tokens == Numbers({0}));
  CHECK(none.cu_kept == Numbers({0, 1, 1, 1}));
  CHECK(none.row_places.empty());
}

}  // namespace albert_fast::encoder
