import Kernels

/// The instruction sets the kernels are compiled for; all of them give the same bits.
public enum InstructionSet: String, Sendable, CaseIterable {
  case avx512, avx2, scalar

  fileprivate var kernel: KernelInstructionSet {
    switch self {
    case .avx512: KernelAVX512
    case .avx2: KernelAVX2
    case .scalar: KernelScalar
    }
  }
}

/// Who computes matrix products.
public enum ProductBackend: String, Sendable, CaseIterable {
  /// Evoke's own kernels: one chain of fused multiply-adds per output.
  case evoke
  /// OpenBLAS, for comparison: its order of additions is another one, so that results differ in
  /// their last digits. Convolutions with windows and attention stay evoke's own.
  case openblas

  fileprivate var kernel: KernelBackend {
    switch self {
    case .evoke: KernelOwn
    case .openblas: KernelOpenBLAS
    }
  }
}

/// How computations run. Nothing here changes a result, but for the backend.
public enum Compute {
  /// Who computes matrix products in single precision; sessions record it.
  public static var backend: ProductBackend {
    get { kernel_backend() == KernelOpenBLAS ? .openblas : .evoke }
    set { kernel_use_backend(newValue.kernel) }
  }

  /// Threads that computations use; by default the cores this process may run on.
  public static var threads: Int {
    get { kernel_threads() }
    set { kernel_use_threads(newValue) }
  }

  /// The instruction set in use; by default the best one of the processor.
  public static var instructionSet: InstructionSet {
    let set = kernel_instruction_set()
    return InstructionSet.allCases.first { $0.kernel == set } ?? .scalar
  }

  /// Forces a kernel variant.
  ///
  /// - Throws: `EvokeError` of kind `.usage` if the processor lacks the instructions.
  public static func setInstructionSet(_ set: InstructionSet) throws {
    guard kernel_use_instruction_set(set.kernel) else {
      throw EvokeError(
        .usage, "this processor cannot run the \(set.rawValue) kernels",
        hint: "it has \(supported.map(\.rawValue).joined(separator: ", "))")
    }
  }

  /// The instruction sets of this processor, the best first.
  public static var supported: [InstructionSet] {
    InstructionSet.allCases.filter { kernel_supports($0.kernel) }
  }

  /// The core type that OpenBLAS (LAPACK in double precision) was pinned to, or chose.
  public static var linearAlgebraCore: String { String(cString: kernel_openblas_core()) }

  /// Whether this build of OpenBLAS chooses its core type at run time, and so could be pinned.
  public static var linearAlgebraCoreCanBeChosen: Bool { kernel_openblas_can_choose() }
}

/// Calls `body` for each of `0..<count`, from several threads at once; returns when all are done.
///
/// Cut work by its shape, never by the number of threads. Nested calls run inline.
public func parallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
  withoutActuallyEscaping(body) { escapable in
    var box = escapable
    withUnsafeMutablePointer(to: &box) { pointer in
      kernel_parallel(
        count,
        { context, index in
          context!.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(index)
        }, pointer)
    }
  }
}
