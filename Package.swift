// swift-tools-version: 6.1
import PackageDescription

// The layers, lowest first. A target may name only targets above it (docs/architecture.md).
let layers: [Target] = [
  .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
  .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
  .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
  .systemLibrary(
    name: "CReadline", pkgConfig: "readline", providers: [.apt(["libreadline-dev"])]),
  .systemLibrary(
    name: "CMarkdown", pkgConfig: "libcmark-gfm",
    providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
  .systemLibrary(name: "CChafa", pkgConfig: "chafa", providers: [.apt(["libchafa-dev"])]),
  .target(
    name: "Kernels", dependencies: ["COpenBLAS"],
    // The hot loops are optimised in debug builds too, and no compiler may fuse or
    // reassociate what they spell out.
    cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall"])]),
  .target(name: "Tensors", dependencies: ["Kernels", "COpenBLAS"]),
  .target(name: "Checkpoints", dependencies: ["Tensors"]),
  .target(
    name: "PictureCodecs", dependencies: ["CPNG", "CJPEG"],
    cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra"])]),
  .target(name: "Pictures", dependencies: ["Tensors", "PictureCodecs"]),
  .target(
    name: "Diffusion",
    dependencies: [
      "Tensors", "Checkpoints", "Pictures", .product(name: "Crypto", package: "swift-crypto"),
    ],
    resources: [.copy("Resources/demo")]),
  .target(name: "Evolution", dependencies: ["Tensors", "Kernels"]),
  .target(name: "Inversion", dependencies: ["Diffusion", "Evolution", "Pictures"]),
  .target(
    name: "Language",
    dependencies: ["Tensors", .product(name: "Crypto", package: "swift-crypto")]),
  .target(
    name: "Workbench",
    dependencies: ["Language", "Inversion", "Diffusion", "Evolution", "Pictures", "Checkpoints"]),
  .target(
    name: "Notebook",
    dependencies: [
      "CMarkdown", "Tensors", "Language", .product(name: "GRDB", package: "GRDB.swift"),
      .product(name: "Crypto", package: "swift-crypto"),
    ]),
  // Runs single parts on given inputs, for scripts/conformance.
  .executableTarget(
    name: "conformance-probe", dependencies: ["Diffusion", "Evolution", "Inversion"],
    path: "Sources/ConformanceProbe"),
  // Measures products, convolutions and attention, for scripts/bench.
  .executableTarget(
    name: "kernel-bench", dependencies: ["Kernels", "Tensors", "COpenBLAS"],
    path: "Sources/KernelBench"),
  .executableTarget(
    name: "evoke",
    dependencies: [
      "CChafa", "CReadline", "Notebook", "Workbench",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ]),
]

let tests: [Target] = [
  .testTarget(
    name: "TensorsTests", dependencies: ["Tensors", "Kernels"], resources: [.copy("Goldens")]),
  .testTarget(
    name: "CheckpointsTests", dependencies: ["Checkpoints"], resources: [.copy("Goldens")]),
  .testTarget(name: "PicturesTests", dependencies: ["Pictures"], resources: [.copy("Goldens")]),
  .testTarget(name: "DiffusionTests", dependencies: ["Diffusion"], resources: [.copy("Goldens")]),
  .testTarget(
    name: "EvolutionTests", dependencies: ["Evolution", "Checkpoints"],
    resources: [.copy("Goldens")]),
  .testTarget(name: "InversionTests", dependencies: ["Inversion"]),
  .testTarget(name: "LanguageTests", dependencies: ["Language"], resources: [.copy("Cases")]),
  .testTarget(name: "WorkbenchTests", dependencies: ["Workbench"]),
  .testTarget(
    name: "NotebookTests",
    dependencies: ["Notebook", .product(name: "GRDB", package: "GRDB.swift")]),
  .testTarget(name: "evokeTests", dependencies: ["evoke"]),
]

let package = Package(
  name: "evoke",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "evoke", targets: ["evoke"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Pictures", targets: ["Pictures"]),
    .library(name: "Diffusion", targets: ["Diffusion"]),
    .library(name: "Evolution", targets: ["Evolution"]),
    .library(name: "Inversion", targets: ["Inversion"]),
    .library(name: "Language", targets: ["Language"]),
    .library(name: "Workbench", targets: ["Workbench"]),
    .library(name: "Notebook", targets: ["Notebook"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: layers + tests
)
