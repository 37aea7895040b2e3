#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "base/error.h"
#include "encoder/cuda/capture_gate.h"
#include "encoder/cuda/card_memory.h"
#include "encoder/cuda/device_batch.h"
#include "encoder/cuda/half.h"
#include "encoder/cuda/pinned_memory.h"
#include "encoder/cuda/provider.h"
#include "encoder/graph.h"
#include "encoder/kernels/gather.h"
#include "tests/check.h"

namespace albert_fast::encoder::cuda {
namespace {

/// Sequences of random lengths; rows of random tokens of each, some of them empty.
OwnedBatch random_batch(unsigned seed, Reduction reduction) {
  std::mt19937 generator(seed);
  const auto below = [&](std::int32_t end) {
    return std::uniform_int_distribution<std::int32_t>(0, end - 1)(generator);
  };
  OwnedBatch batch;
  batch.cu_seqlens.push_back(0);
  batch.row_splits.push_back(0);
  batch.reduction = static_cast<std::int32_t>(reduction);
  for (std::int32_t s = 0, sequences = 1 + below(30); s < sequences; ++s) {
    const std::int32_t first = batch.cu_seqlens.back();
    const std::int32_t length = 1 + below(150);
    for (std::int32_t t = 0; t < length; ++t) {
      batch.input_ids.push_back(below(400));
      batch.position_ids.push_back(t);
    }
    batch.cu_seqlens.push_back(first + length);
    for (std::int32_t r = 0, rows = below(6); r < rows; ++r) {
      for (std::int32_t t = 0, tokens = below(4); t < tokens; ++t) {
        batch.row_tokens.push_back(first + below(length));
      }
      batch.row_splits.push_back(static_cast<std::int32_t>(batch.row_tokens.size()));
    }
  }
  return batch;
}

constexpr std::size_t kHidden = 2;

/// A "model" whose hidden state of a token is made of its id and position.
std::vector<float> hidden_states(const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& at) {
  std::vector<float> x;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    x.push_back(static_cast<float>(ids[t]));
    x.push_back(static_cast<float>(ids[t] * 7 % 13 - at[t]));
  }
  return x;
}

/// What the device and the host make of a batch that is laid out.
std::vector<float> rows_of(const DeviceBatch& batch, std::size_t rows, std::int32_t reduction) {
  std::vector<float> x = hidden_states(batch.input_ids, batch.position_ids);
  if (!batch.kept_tokens.empty()) {
    std::vector<float> kept;
    for (const std::int32_t token : batch.kept_tokens) {
      const auto row = x.begin() + token * static_cast<std::ptrdiff_t>(kHidden);
      kept.insert(kept.end(), row, row + static_cast<std::ptrdiff_t>(kHidden));
    }
    x = std::move(kept);
  }
  const auto width = static_cast<std::size_t>(batch.width);
  std::vector<float> made(static_cast<std::size_t>(batch.rows) * kHidden, 0.0F);
  for (std::size_t r = 0; r < static_cast<std::size_t>(batch.rows); ++r) {
    for (std::size_t d = 0; d < kHidden; ++d) {
      for (std::size_t i = 0; i < width; ++i) {
        const float value = x[static_cast<std::size_t>(batch.row_index[r * width + i]) * kHidden + d];
        made[r * kHidden + d] += batch.means ? value * batch.row_mask[r * width + i] : value;
      }
      if (batch.means) made[r * kHidden + d] *= batch.row_share[r];
    }
  }
  if (batch.host_splits.empty()) return made;
  std::vector<float> out(rows * kHidden, -1.0F);
  gather_rows(made.data(), batch.host_splits, batch.host_tokens, kHidden, static_cast<Reduction>(reduction),
              out.data());
  return out;
}

void check_close(const std::vector<float>& got, const std::vector<float>& want) {
  CHECK_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) < 1e-3F);
}

std::vector<float> expected_rows(const OwnedBatch& batch) {
  const std::vector<float> x = hidden_states(batch.input_ids, batch.position_ids);
  std::vector<float> out(batch.rows() * kHidden, -1.0F);
  gather_rows(x.data(), batch.row_splits, batch.row_tokens, kHidden, static_cast<Reduction>(batch.reduction),
              out.data());
  return out;
}

}  // namespace

ALBERT_FAST_TEST(a_batch_for_the_device_makes_the_rows_of_the_plan) {
  DeviceBatch laid_out;  // reused, as by a worker
  for (unsigned seed = 0; seed < 90; ++seed) {
    const OwnedBatch batch = random_batch(seed, static_cast<Reduction>(seed % 3));
    lay_out(batch.view(), laid_out);
    check_close(rows_of(laid_out, batch.rows(), batch.reduction), expected_rows(batch));
    std::vector<std::int32_t> places = laid_out.token_offset;
    std::sort(places.begin(), places.end());
    std::vector<std::int32_t> all(places.size());
    std::iota(all.begin(), all.end(), 0);
    CHECK(places == all);
    CHECK_EQ(laid_out.cu_seqlens.back(), static_cast<std::int32_t>(laid_out.input_ids.size()));
    const std::set<std::int32_t> read(batch.row_tokens.begin(), batch.row_tokens.end());
    CHECK_EQ(static_cast<std::int64_t>(laid_out.kept_tokens.size()),
             padded_tokens(static_cast<std::int64_t>(std::max<std::size_t>(read.size(), 1))));
  }
}

ALBERT_FAST_TEST(a_short_batch_makes_the_same_rows_in_a_bucket) {
  DeviceBatch laid_out;
  std::size_t in_buckets = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    OwnedBatch batch = random_batch(seed, static_cast<Reduction>(seed % 3));
    batch = part_of(batch.view(), 0, std::min<std::size_t>(seed % 12, batch.cu_seqlens.size() - 1));
    const std::optional<std::size_t> number = bucket_of(batch.view());
    if (!number) continue;
    ++in_buckets;
    const Bucket& bucket = kBuckets[*number];
    lay_out(batch.view(), bucket, laid_out);
    CHECK_EQ(static_cast<std::int64_t>(laid_out.input_ids.size()), bucket.tokens);
    CHECK_EQ(static_cast<std::int64_t>(laid_out.position_ids.size()), bucket.tokens);
    CHECK_EQ(static_cast<std::int64_t>(laid_out.row_index.size()), bucket.tokens);
    CHECK_EQ(static_cast<std::int64_t>(laid_out.cu_seqlens.size()), bucket.sequences + 1);
    CHECK_EQ(static_cast<std::int64_t>(laid_out.cu_seqlens.back()), bucket.tokens);
    CHECK_EQ(laid_out.longest, bucket.longest);
    CHECK(!laid_out.means);
    CHECK(laid_out.kept_tokens.empty());
    std::vector<std::int32_t> places = laid_out.token_offset;
    std::sort(places.begin(), places.end());
    CHECK_EQ(static_cast<std::int64_t>(places.size()), bucket.sequences * bucket.longest);
    for (std::size_t i = 0; i < places.size(); ++i) CHECK_EQ(places[i], static_cast<std::int32_t>(i));
    for (std::size_t s = 0; s + 1 < laid_out.cu_seqlens.size(); ++s) {
      const std::int32_t length = laid_out.cu_seqlens[s + 1] - laid_out.cu_seqlens[s];
      CHECK(length >= 0 && length <= bucket.longest);
    }
    check_close(rows_of(laid_out, batch.rows(), batch.reduction), expected_rows(batch));
  }
  CHECK(in_buckets > 60);
}

ALBERT_FAST_TEST(what_no_bucket_holds) {
  const auto batch_with = [](std::int32_t sequences, std::int32_t length) {
    OwnedBatch batch;
    batch.cu_seqlens.push_back(0);
    for (std::int32_t s = 0; s < sequences; ++s) batch.cu_seqlens.push_back((s + 1) * length);
    batch.input_ids.resize(static_cast<std::size_t>(sequences * length));
    batch.position_ids.resize(batch.input_ids.size());
    batch.row_splits = {0};
    return batch;
  };
  const auto bucket = [&](std::int32_t sequences, std::int32_t length) {
    return bucket_of(batch_with(sequences, length).view());
  };
  CHECK_EQ(bucket(1, 2).value(), std::size_t{0});
  CHECK_EQ(bucket(1, 64).value(), std::size_t{0});
  CHECK_EQ(bucket(1, 65).value(), std::size_t{1});
  CHECK_EQ(bucket(16, 4).value(), std::size_t{0});  // full: it needs no dummies
  CHECK_EQ(bucket(16, 3).value(), std::size_t{1});  // one sequence too many beside a dummy
  CHECK_EQ(bucket(4, 128).value(), std::size_t{3});
  CHECK(!bucket(1, 129));
  CHECK(!bucket(5, 128));
  CHECK(!bucket(129, 3));
}

ALBERT_FAST_TEST(a_capture_is_alone_and_comes_to_its_turn) {
  std::atomic<int> working{0};
  std::atomic<bool> capturing{false};
  std::atomic<bool> mixed{false};
  std::atomic<bool> ended{false};
  std::vector<std::jthread> workers;
  for (int w = 0; w < 3; ++w) {
    workers.emplace_back([&] {
      while (!ended.load()) {
        const CaptureGate::Work work;
        working.fetch_add(1);
        if (capturing.load()) mixed.store(true);
        std::this_thread::yield();
        working.fetch_sub(1);
      }
    });
  }
  for (int c = 0; c < 50; ++c) {  // would never end if workers could overtake
    const CaptureGate::Capture capture;
    capturing.store(true);
    if (working.load() != 0) mixed.store(true);
    std::this_thread::yield();
    capturing.store(false);
  }
  ended.store(true);
  workers.clear();
  CHECK(!mixed.load());
}

ALBERT_FAST_TEST(two_halves_are_the_batch) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const OwnedBatch batch = random_batch(seed, Reduction::mean);
    const std::size_t sequences = batch.cu_seqlens.size() - 1;
    for (const std::size_t cut : {std::size_t{0}, sequences / 2, sequences}) {
      const OwnedBatch first = part_of(batch.view(), 0, cut);
      const OwnedBatch second = part_of(batch.view(), cut, sequences);
      CHECK_EQ(first.rows() + second.rows(), batch.rows());
      std::vector<float> rows = expected_rows(first);
      const std::vector<float> more = expected_rows(second);
      rows.insert(rows.end(), more.begin(), more.end());
      check_close(rows, expected_rows(batch));
    }
  }
}

ALBERT_FAST_TEST(every_half_is_itself) {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const auto exponent = static_cast<int>(bits >> 10);
    const auto fraction = static_cast<float>(bits & 0x3FF);
    const float value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
    CHECK_EQ(to_half(value), static_cast<std::uint16_t>(bits));
    CHECK_EQ(to_half(-value), static_cast<std::uint16_t>(bits | 0x8000));
  }
}

ALBERT_FAST_TEST(messages_are_for_people) {
  CHECK_EQ(
      readable("ONNX Runtime 1.31.1 failed while opening: /onnxruntime_src/a.cc:63 static T f(const U&) "
               "[ONNXRuntimeError] : 1 : FAIL : parse.h:187 Parse Failed: CUDA failure 36: not supported "
               "; GPU=-1 ; hostname=vm ; file=/onnxruntime_src/a.cc ; expr=f(&n); \n"),
      std::string("ONNX Runtime 1.31.1 failed while opening: parse.h:187 Parse Failed: CUDA failure 36: "
                  "not supported"));
  CHECK_EQ(readable("running: Status Message: /onnxruntime_src/b.cc:360 void* A::B(size_t, S*) Failed to "
                    "allocate memory for requested buffer of size 5\n"),
           std::string("running: Status Message: Failed to allocate memory for requested buffer of size 5"));
  for (const char* plain : {"", "plain", ": ", "[ONNXRuntimeError]", "[ONNXRuntimeError] : 1"}) {
    CHECK(readable(plain).size() <= std::string(plain).size() + 2);
  }
  CHECK(is_out_of_memory("Failed to allocate memory for requested buffer"));
  CHECK(!is_out_of_memory("CUDA failure 700: an illegal memory access was encountered"));
}

ALBERT_FAST_TEST(without_cuda_there_is_no_pinned_memory) {
  PinnedMemory memory(0);
  CHECK(memory.take(0).data() == nullptr);
  CHECK(memory.take(std::size_t{1} << 40).data() == nullptr);
  CHECK(memory.take_slot(std::size_t{1} << 19).data() == nullptr);
  const float number = 0.0F;
  CHECK(!memory.contains(&number));
  CHECK_THROWS(CardMemory(0, false).make_rows(4), ErrorCode::device);
}

ALBERT_FAST_TEST(a_rehearsed_card_keeps_what_is_copied_there) {
  const CardMemory memory(0, true);
  const std::vector<float> numbers{1, 2, 3, 4};
  const columns::DeviceRows rows = memory.make_rows(8);
  memory.upload(numbers, rows.data);
  memory.copy(std::array{DeviceMemory::Copy{{rows.data, 4}, rows.data + 4}});
  std::vector<float> back(4);
  memory.download(rows.data + 4, back);
  CHECK(back == numbers);
  CHECK(memory.make_rows(0).owner != nullptr);
}

}  // namespace albert_fast::encoder::cuda
