// swift-tools-version: 6.1
import PackageDescription

// A package of its own, because it links only with -sanitize=fuzzer; scripts/fuzz builds it.
let package = Package(
  name: "fuzz",
  platforms: [.macOS(.v14)],
  dependencies: [.package(name: "evoke", path: "../..")],
  targets: [
    .executableTarget(
      name: "fuzz", dependencies: [.product(name: "Language", package: "evoke")],
      path: "Sources")
  ]
)
