// A GPU on paper: the functions of NVIDIA's driver and libraries that ONNX Runtime's CUDA provider and albert_fast
// call, with host memory in the place of device memory and kernels that do nothing. Results are therefore numbers
// without meaning; what can be seen is whether the provider opens, every node gets a CUDA kernel, memory is asked
// for and given back, and what is said when something is wrong. Functions that are not here get a stub that returns
// 0 (success), see test_cuda_paper.py.
//
// PAPER_GPU_INIT, PAPER_GPU_DEVICES, PAPER_GPU_VERSION: answers of the driver. PAPER_GPU_MIB: memory of the device.
// PAPER_GPU_PINNED_MIB: the largest block of pinned memory that is to be had.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number(const char* name, int other) {
  const char* text = getenv(name);
  return text != NULL ? atoi(text) : other;
}

static size_t device_bytes(void) { return (size_t)number("PAPER_GPU_MIB", 24576) << 20; }

// ---------------------------------------------------------------------------------------------- the driver

int cuInit(unsigned flags) { return (void)flags, number("PAPER_GPU_INIT", 0); }
int cuDeviceGetCount(int* count) { return *count = number("PAPER_GPU_DEVICES", 1), 0; }
int cuDriverGetVersion(int* version) { return *version = number("PAPER_GPU_VERSION", 13000), 0; }
int cuDeviceGet(int* device, int number_) { return *device = number_, 0; }
int cuDeviceGetName(char* name, int size, int device) {
  (void)device;
  strncpy(name, "Paper GPU", (size_t)size);
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) { return (void)device, *bytes = device_bytes(), 0; }
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  *value = attribute == 75 ? 8 : attribute == 76 ? 6 : 0;
  return 0;
}

// ----------------------------------------------------------------------------------------- devices, errors

int cudaGetDeviceCount(int* count) { return cuDeviceGetCount(count); }
static __thread int current_device;
int cudaGetDevice(int* device) { return *device = current_device, 0; }
int cudaSetDevice(int device) { return current_device = device, 0; }
int cudaRuntimeGetVersion(int* version) { return cuDriverGetVersion(version); }
int cudaDriverGetVersion(int* version) { return cuDriverGetVersion(version); }
int cudaDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  *value = attribute == 75 ? 8 : attribute == 76 ? 6 : attribute == 16 ? 84 : attribute == 97 ? 101376 : 1024;
  return 0;
}
// cudaDeviceProp as CUDA 12 and 13 lay it out, as far as they agree.
int cudaGetDeviceProperties(char* properties, int device) {
  (void)device;
  memset(properties, 0, 700);
  strcpy(properties, "Paper GPU");
  *(size_t*)(properties + 288) = device_bytes();
  *(size_t*)(properties + 296) = 49152;  // shared memory of a block
  *(int*)(properties + 304) = 65536;     // registers
  *(int*)(properties + 308) = 32;        // warp
  *(int*)(properties + 320) = 1024;      // threads of a block
  *(int*)(properties + 360) = 8;         // compute capability
  *(int*)(properties + 364) = 6;
  *(int*)(properties + 384) = *(int*)(properties + 388) = 84;  // multiprocessors
  return 0;
}
int cudaGetDeviceProperties_v2(char* properties, int device) {  // its name in CUDA 12
  return cudaGetDeviceProperties(properties, device);
}
const char* cudaGetErrorString(int code) { return code == 2 ? "out of memory" : "paper error"; }
const char* cudaGetErrorName(int code) { return code == 2 ? "cudaErrorMemoryAllocation" : "paper error"; }
const char* cublasGetStatusString(int code) { return (void)code, "paper error"; }
const char* cublasGetStatusName(int code) { return (void)code, "paper error"; }

// -------------------------------------------------------------------------------------------------- memory

static size_t in_use;

struct block {
  size_t bytes;
  char padding[256 - sizeof(size_t)];
};

static int is_capturing;  // see below: nobody may ask for memory meanwhile, nor give it back

// What failed last in a thread, until somebody asks: ONNX Runtime does so after its kernels.
static __thread int last_error;
static int failed(int code) { return last_error = code; }
int cudaPeekAtLastError(void) { return last_error; }
int cudaGetLastError(void) {
  const int code = last_error;
  last_error = 0;
  return code;
}

int cudaMalloc(void** pointer, size_t bytes) {
  if (__atomic_load_n(&is_capturing, __ATOMIC_RELAXED)) return failed(900);
  if (__atomic_add_fetch(&in_use, bytes, __ATOMIC_RELAXED) > device_bytes()) {
    __atomic_sub_fetch(&in_use, bytes, __ATOMIC_RELAXED);
    return failed(2);
  }
  struct block* block = aligned_alloc(256, (sizeof(struct block) + bytes + 255) / 256 * 256);
  if (block == NULL) return failed(2);
  block->bytes = bytes;
  memset(block + 1, 0, bytes);
  *pointer = block + 1;
  return 0;
}
static int frees;                      // since the last capture
int paper_gpu_frees_between_captures;  // what an earlier graph may have used
int cudaFree(void* pointer) {
  if (pointer == NULL) return 0;
  if (__atomic_load_n(&is_capturing, __ATOMIC_RELAXED)) return failed(900);
  __atomic_add_fetch(&frees, 1, __ATOMIC_RELAXED);
  struct block* block = (struct block*)pointer - 1;
  __atomic_sub_fetch(&in_use, block->bytes, __ATOMIC_RELAXED);
  free(block);
  return 0;
}
int cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *total = device_bytes();
  *free_bytes = *total - __atomic_load_n(&in_use, __ATOMIC_RELAXED);
  return 0;
}
int paper_gpu_pinned;       // blocks that are out
int paper_gpu_pinned_ever;  // that were made
int cudaHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  (void)flags;
  if (__atomic_load_n(&is_capturing, __ATOMIC_RELAXED)) return failed(900);
  if (bytes >> 20 > (size_t)number("PAPER_GPU_PINNED_MIB", 24576)) return failed(2);
  *pointer = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  __atomic_add_fetch(&paper_gpu_pinned, 1, __ATOMIC_RELAXED);
  __atomic_add_fetch(&paper_gpu_pinned_ever, 1, __ATOMIC_RELAXED);
  return *pointer == NULL ? 2 : 0;
}
int cudaMallocHost(void** pointer, size_t bytes) { return cudaHostAlloc(pointer, bytes, 0); }
int cudaFreeHost(void* pointer) {
  if (__atomic_load_n(&is_capturing, __ATOMIC_RELAXED)) return failed(900);
  __atomic_sub_fetch(&paper_gpu_pinned, 1, __ATOMIC_RELAXED);
  free(pointer);
  return 0;
}
int cudaMemcpy(void* to, const void* from, size_t bytes, int kind) {
  (void)kind;
  memmove(to, from, bytes);
  return 0;
}
int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, void* stream) {
  (void)stream;
  return cudaMemcpy(to, from, bytes, kind);
}
int cudaMemset(void* pointer, int value, size_t bytes) {
  memset(pointer, value, bytes);
  return 0;
}
int cudaMemsetAsync(void* pointer, int value, size_t bytes, void* stream) {
  (void)stream;
  return cudaMemset(pointer, value, bytes);
}

// ------------------------------------------------------------------------- streams, events, handles, kernels

static int thing;  // what every handle points at

// A stream belongs to the device that was current when it was made. Copies may be put into it from any other, kernels
// may not.
static int streams_of[8];  // one for each device
int cudaStreamCreate(void** stream) { return *stream = &streams_of[current_device], 0; }
int cudaStreamCreateWithFlags(void** stream, unsigned flags) { return (void)flags, cudaStreamCreate(stream); }
static int launch(void* stream) {
  const int is_ours = (int*)stream >= streams_of && (int*)stream < streams_of + 8;
  return is_ours && stream != &streams_of[current_device] ? failed(400) : 0;
}
struct dim3 {
  unsigned x, y, z;
};
// What `kernel<<<grid, block, shared, stream>>>(...)` calls before and in the kernel's stub.
static __thread struct {
  struct dim3 grid, block;
  size_t shared;
  void* stream;
} pushed;
unsigned __cudaPushCallConfiguration(struct dim3 grid, struct dim3 block, size_t shared, void* stream) {
  pushed.grid = grid, pushed.block = block, pushed.shared = shared, pushed.stream = stream;
  return 0;
}
int __cudaPopCallConfiguration(struct dim3* grid, struct dim3* block, size_t* shared, void** stream) {
  *grid = pushed.grid, *block = pushed.block, *shared = pushed.shared, *stream = pushed.stream;
  return 0;
}
int cudaLaunchKernel(const void* kernel, struct dim3 grid, struct dim3 block, void** with, size_t shared, void* stream) {
  return (void)kernel, (void)grid, (void)block, (void)with, (void)shared, launch(stream);
}
int __cudaLaunchKernel(void* kernel, struct dim3 grid, struct dim3 block, void** with, size_t shared, void* stream) {
  return cudaLaunchKernel(kernel, grid, block, with, shared, stream);
}
struct launch_config {
  struct dim3 grid, block;
  size_t shared;
  void* stream;
};
int cudaLaunchKernelExC(const struct launch_config* config, const void* kernel, void** with) {
  return (void)kernel, (void)with, launch(config->stream);
}
int cudaStreamIsCapturing(void* stream, int* status) { return (void)stream, *status = 0, 0; }

// CUDA graphs: what is captured runs at once, what is replayed is counted. PAPER_GPU_CAPTURES_LOST: how many
// captures fail, as they do when another thread uses the device meanwhile. PAPER_GPU_CAPTURE_MS: how long one takes.
static int captures;
int paper_gpu_replays;
int paper_gpu_is_capturing(void) { return __atomic_load_n(&is_capturing, __ATOMIC_RELAXED); }
int cudaStreamBeginCapture(void* stream, int mode) {
  (void)stream, (void)mode;
  const int before = __atomic_exchange_n(&frees, 0, __ATOMIC_RELAXED);
  if (captures > 0) __atomic_add_fetch(&paper_gpu_frees_between_captures, before, __ATOMIC_RELAXED);
  return __atomic_exchange_n(&is_capturing, 1, __ATOMIC_RELAXED) ? failed(900) : 0;
}
int cudaStreamEndCapture(void* stream, void** graph) {
  (void)stream;
  usleep(1000 * (unsigned)number("PAPER_GPU_CAPTURE_MS", 0));
  if (!__atomic_exchange_n(&is_capturing, 0, __ATOMIC_RELAXED)) return failed(401);
  const int lost = __atomic_add_fetch(&captures, 1, __ATOMIC_RELAXED) <= number("PAPER_GPU_CAPTURES_LOST", 0);
  *graph = lost ? NULL : &captures;
  return lost ? failed(901) : 0;
}
static int instantiate(void** executable) { return *executable = &captures, 0; }
int cudaGraphInstantiate(void** executable) { return instantiate(executable); }
int cudaGraphInstantiateWithFlags(void** executable) { return instantiate(executable); }
int cudaGraphLaunch(void* executable, void* stream) {
  (void)executable, (void)stream;
  if (__atomic_load_n(&is_capturing, __ATOMIC_RELAXED)) return failed(900);
  __atomic_add_fetch(&paper_gpu_replays, 1, __ATOMIC_RELAXED);
  return 0;
}
int cudaEventCreate(void** event) { return *event = &thing, 0; }
int cudaEventCreateWithFlags(void** event, unsigned flags) { return (void)flags, *event = &thing, 0; }
int paper_gpu_handles;  // of cuBLAS that were made
int cublasCreate_v2(void** handle) {
  __atomic_add_fetch(&paper_gpu_handles, 1, __ATOMIC_RELAXED);
  return *handle = &thing, 0;
}
int paper_gpu_waits;  // for a stream
int cudaStreamSynchronize(void* stream) {
  (void)stream;
  __atomic_add_fetch(&paper_gpu_waits, 1, __ATOMIC_RELAXED);
  return 0;
}
int cublasLtCreate(void** handle) { return *handle = &thing, 0; }
int cudnnCreate(void** handle) { return *handle = &thing, 0; }
int cublasGetMathMode(void* handle, int* mode) { return (void)handle, *mode = 0, 0; }
void** __cudaRegisterFatBinary(void* binary) {
  static void* registered;
  (void)binary;
  return &registered;
}
int __cudaGetKernel(void** kernel, const void* function) { return *kernel = (void*)function, 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks) { return *blocks = 1, 0; }
