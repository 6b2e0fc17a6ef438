import Synchronization

/// Settings of the process that change speed and memory, and never a result.
public enum WorkbenchSettings {
  private static let batchSetting = Mutex<Int?>(nil)

  /// Samples that go through the UNet in one call; chosen by the layers below if nil.
  public static var batch: Int? {
    get { batchSetting.withLock { $0 } }
    set { batchSetting.withLock { $0 = newValue } }
  }
}
