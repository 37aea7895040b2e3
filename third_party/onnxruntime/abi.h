#pragma once

#include <cstddef>
#include <cstdint>

// The part of ONNX Runtime's C ABI that albert_fast calls, written down by us from the published slot
// numbers: OrtApi is an append-only table of function pointers, so a slot number is a function for ever.
// Provenance, versions and how to check a row: README.md beside this file.

namespace albert_fast::ort {

// Opaque types; only pointers to them exist here.
struct Status;
struct Env;
struct Session;
struct SessionOptions;
struct RunOptions;
struct IoBinding;
struct Value;
struct MemoryInfo;
struct CustomOpDomain;
struct PrepackedWeights;
struct KernelContext;
struct KernelInfo;
struct TensorTypeAndShape;
struct CudaProviderOptions;

enum LoggingLevel : int { kLogWarning = 2, kLogError = 3, kLogFatal = 4 };
enum ElementType : int { kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6, kInt64 = 7, kFloat16 = 10 };
enum AllocatorType : int { kDeviceAllocator = 0 };
enum MemoryType : int { kMemoryDefault = 0 };
enum ExecutionMode : int { kSequential = 0 };
enum OptimizationLevel : int { kOptimizeBasic = 1, kOptimizeExtended = 2 };

struct ApiBase {
  void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};

// A custom operator, field for field (`version` says which fields ONNX Runtime may read).
struct CustomOp {
  std::uint32_t version;
  void* (*create_kernel)(const CustomOp*, const void* api, const KernelInfo*);
  const char* (*get_name)(const CustomOp*);
  const char* (*get_execution_provider)(const CustomOp*);
  ElementType (*get_input_type)(const CustomOp*, std::size_t);
  std::size_t (*get_input_count)(const CustomOp*);
  ElementType (*get_output_type)(const CustomOp*, std::size_t);
  std::size_t (*get_output_count)(const CustomOp*);
  void (*compute)(void* kernel, KernelContext*);
  void (*destroy)(void* kernel);
  int (*get_input_characteristic)(const CustomOp*, std::size_t);
  int (*get_output_characteristic)(const CustomOp*, std::size_t);
  int (*get_input_memory_type)(const CustomOp*, std::size_t);
  int (*get_variadic_input_min_arity)(const CustomOp*);
  int (*get_variadic_input_homogeneity)(const CustomOp*);
  int (*get_variadic_output_min_arity)(const CustomOp*);
  int (*get_variadic_output_homogeneity)(const CustomOp*);
  Status* (*create_kernel_v2)(const CustomOp*, const void* api, const KernelInfo*, void** kernel);
  Status* (*compute_v2)(void* kernel, KernelContext*);
  Status* (*infer_output_shape)(const CustomOp*, void* context);
  int (*get_start_version)(const CustomOp*);
  int (*get_end_version)(const CustomOp*);
  std::size_t (*get_may_inplace)(int** input, int** output);
  void (*release_may_inplace)(int* input, int* output);
  std::size_t (*get_alias_map)(int** input, int** output);
  void (*release_alias_map)(int* input, int* output);
};
// The layout above was exercised with this version number on 1.23 and 1.32; nothing newer is used (18:
// may_inplace).
inline constexpr std::uint32_t kCustomOpVersion = 18;

// clang-format off
// X(slot, since API version, return type, name, argument types)
#define ALBERT_FAST_ORT_FUNCTIONS(X)                                                                               \
  X(0, 1, Status*, CreateStatus, (int code, const char* message))                                                  \
  X(1, 1, int, GetErrorCode, (const Status*))                                                                      \
  X(2, 1, const char*, GetErrorMessage, (const Status*))                                                           \
  X(93, 1, void, ReleaseStatus, (Status*))                                                                         \
  X(3, 1, Status*, CreateEnv, (int log_level, const char* log_id, Env** out))                                      \
  X(92, 1, void, ReleaseEnv, (Env*))                                                                               \
  X(6, 1, Status*, DisableTelemetryEvents, (const Env*))                                                           \
  X(10, 1, Status*, CreateSessionOptions, (SessionOptions** out))                                                  \
  X(100, 1, void, ReleaseSessionOptions, (SessionOptions*))                                                        \
  X(13, 1, Status*, SetSessionExecutionMode, (SessionOptions*, int mode))                                          \
  X(17, 1, Status*, DisableMemPattern, (SessionOptions*))                                                          \
  X(22, 1, Status*, SetSessionLogSeverityLevel, (SessionOptions*, int level))                                      \
  X(23, 1, Status*, SetSessionGraphOptimizationLevel, (SessionOptions*, int level))                                \
  X(24, 1, Status*, SetIntraOpNumThreads, (SessionOptions*, int threads))                                          \
  X(25, 1, Status*, SetInterOpNumThreads, (SessionOptions*, int threads))                                          \
  X(130, 6, Status*, AddSessionConfigEntry, (SessionOptions*, const char* key, const char* value))                 \
  X(150, 6, Status*, AddInitializer, (SessionOptions*, const char* name, const Value*))                            \
  X(279, 18, Status*, AddExternalInitializersFromFilesInMemory,                                                    \
    (SessionOptions*, const char* const* names, char* const* buffers, const std::size_t* sizes_bytes,              \
     std::size_t count))                                                                                           \
  X(26, 1, Status*, CreateCustomOpDomain, (const char* domain, CustomOpDomain** out))                              \
  X(101, 1, void, ReleaseCustomOpDomain, (CustomOpDomain*))                                                        \
  X(27, 1, Status*, CustomOpDomain_Add, (CustomOpDomain*, const CustomOp*))                                        \
  X(28, 1, Status*, AddCustomOpDomain, (SessionOptions*, CustomOpDomain*))                                         \
  X(85, 1, Status*, KernelInfoGetAttribute_float, (const KernelInfo*, const char* name, float* out))               \
  X(86, 1, Status*, KernelInfoGetAttribute_int64, (const KernelInfo*, const char* name, std::int64_t* out))        \
  X(90, 1, Status*, KernelContext_GetInput, (const KernelContext*, std::size_t index, const Value** out))          \
  X(91, 1, Status*, KernelContext_GetOutput,                                                                       \
    (KernelContext*, std::size_t index, const std::int64_t* dims, std::size_t n_dims, Value** out))                \
  X(274, 18, Status*, KernelContext_ParallelFor,                                                                   \
    (const KernelContext*, void (*task)(void*, std::size_t), std::size_t total, std::size_t n_batches, void* data)) \
  X(166, 8, Status*, CreatePrepackedWeightsContainer, (PrepackedWeights** out))                                    \
  X(167, 8, void, ReleasePrepackedWeightsContainer, (PrepackedWeights*))                                           \
  X(8, 1, Status*, CreateSessionFromArray,                                                                         \
    (const Env*, const void* model, std::size_t size_bytes, const SessionOptions*, Session** out))                 \
  X(169, 8, Status*, CreateSessionFromArrayWithPrepackedWeightsContainer,                                          \
    (const Env*, const void* model, std::size_t size_bytes, const SessionOptions*, PrepackedWeights*,              \
     Session** out))                                                                                               \
  X(95, 1, void, ReleaseSession, (Session*))                                                                       \
  X(65, 1, Status*, GetTensorTypeAndShape, (const Value*, TensorTypeAndShape** out))                               \
  X(99, 1, void, ReleaseTensorTypeAndShapeInfo, (TensorTypeAndShape*))                                             \
  X(60, 1, Status*, GetTensorElementType, (const TensorTypeAndShape*, int* out))                                   \
  X(61, 1, Status*, GetDimensionsCount, (const TensorTypeAndShape*, std::size_t* out))                             \
  X(62, 1, Status*, GetDimensions, (const TensorTypeAndShape*, std::int64_t* dims, std::size_t n_dims))            \
  X(68, 1, Status*, CreateMemoryInfo,                                                                              \
    (const char* name, int allocator, int device, int memory_type, MemoryInfo** out))                              \
  X(94, 1, void, ReleaseMemoryInfo, (MemoryInfo*))                                                                 \
  X(49, 1, Status*, CreateTensorWithDataAsOrtValue,                                                                \
    (const MemoryInfo*, void* data, std::size_t size_bytes, const std::int64_t* dims, std::size_t n_dims,          \
     int element_type, Value** out))                                                                               \
  X(51, 1, Status*, GetTensorMutableData, (Value*, void** out))                                                    \
  X(96, 1, void, ReleaseValue, (Value*))                                                                           \
  X(39, 1, Status*, CreateRunOptions, (RunOptions** out))                                                          \
  X(97, 1, void, ReleaseRunOptions, (RunOptions*))                                                                 \
  X(46, 1, Status*, RunOptionsSetTerminate, (RunOptions*))                                                         \
  X(9, 1, Status*, Run,                                                                                            \
    (Session*, const RunOptions*, const char* const* input_names, const Value* const* inputs,                      \
     std::size_t n_inputs, const char* const* output_names, std::size_t n_outputs, Value** outputs))               \
  X(165, 8, Status*, AddRunConfigEntry, (RunOptions*, const char* key, const char* value))                         \
  X(134, 5, Status*, CreateIoBinding, (Session*, IoBinding** out))                                                 \
  X(135, 5, void, ReleaseIoBinding, (IoBinding*))                                                                  \
  X(136, 5, Status*, BindInput, (IoBinding*, const char* name, const Value*))                                      \
  X(137, 5, Status*, BindOutput, (IoBinding*, const char* name, const Value*))                                     \
  X(133, 5, Status*, RunWithBinding, (Session*, const RunOptions*, const IoBinding*))                              \
  X(205, 11, Status*, CreateCUDAProviderOptions, (CudaProviderOptions** out))                                      \
  X(206, 11, Status*, UpdateCUDAProviderOptions,                                                                   \
    (CudaProviderOptions*, const char* const* keys, const char* const* values, std::size_t count))                 \
  X(263, 16, Status*, UpdateCUDAProviderOptionsWithValue, (CudaProviderOptions*, const char* key, void* value))    \
  X(204, 11, Status*, SessionOptionsAppendExecutionProvider_CUDA_V2, (SessionOptions*, const CudaProviderOptions*)) \
  X(208, 11, void, ReleaseCUDAProviderOptions, (CudaProviderOptions*))                                             \
  X(125, 4, Status*, GetAvailableProviders, (char*** names, int* count))                                           \
  X(126, 4, Status*, ReleaseAvailableProviders, (char** names, int count))                                         \
  X(254, 15, const char*, GetBuildInfoString, ())
// clang-format on

/// The functions above as typed pointers, filled from the runtime's table.
struct Api {
#define ALBERT_FAST_ORT_MEMBER(slot, since, result, name, arguments) result(*name) arguments = nullptr;
  ALBERT_FAST_ORT_FUNCTIONS(ALBERT_FAST_ORT_MEMBER)
#undef ALBERT_FAST_ORT_MEMBER
};

/// Highest API version that these rows were read from, and the oldest that the engine accepts: before ONNX
/// Runtime 1.23 every node keeps its own packed copy of a shared weight (ALBERT: twelve copies instead of
/// one).
inline constexpr std::uint32_t kNewestKnownApi = 29;
inline constexpr std::uint32_t kOldestApi = 23;

}  // namespace albert_fast::ort
