// libFuzzer's driver, called with the command line's arguments; see scripts/fuzz.

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
let status = runFuzzer(&count, &arguments) { bytes, count in
  let source = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  Trial.run(source, isRepeated: count % 16 == 0)
  return 0
}
