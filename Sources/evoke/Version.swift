/// This build's version, as sessions record it.
enum Version {
  static let text = "0.1.0"
}
