#pragma once

namespace albert_fast::encoder::cuda {

/// While ONNX Runtime captures a CUDA graph, no other thread of the process may ask CUDA for memory or wait
/// for a stream: the capture, and that call, would fail (cudaStreamCaptureModeGlobal). All our calls of CUDA
/// pass this gate, any number at a time; a capture passes it alone, and nobody overtakes one that waits.
/// Other libraries do not know the gate. Not recursive.
class CaptureGate {
 public:
  class Work {
   public:
    Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work();
  };
  class Capture {
   public:
    Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture();
  };
};

}  // namespace albert_fast::encoder::cuda
