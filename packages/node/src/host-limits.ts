/** Every bound of the host loop in one place; the mesh has its own in `MeshLimits`. */
export interface HostLimits {
  /** Most inputs that are stepped before the event loop gets its turn. */
  readonly inputsPerTick: number;
  /** Most frames of one peer that wait to be checked and stepped; further ones are dropped. */
  readonly waitingPerPeer: number;
  /** As `waitingPerPeer`, in bytes of frames. */
  readonly waitingBytesPerPeer: number;
  /** Most outputs that wait for the disk; above it no input is stepped. */
  readonly waitingOutputs: number;
  /** Most operations of this process that wait to be stepped; further ones get an error at once. */
  readonly waitingSubmits: number;
  /** Largest frame in bytes, sent or received. */
  readonly maxFrameBytes: number;
}

/** Limits that honest members do not notice. */
export const defaultHostLimits: HostLimits = {
  inputsPerTick: 1024,
  waitingPerPeer: 8192,
  waitingBytesPerPeer: 32 * 1024 * 1024,
  waitingOutputs: 4096,
  waitingSubmits: 65_536,
  maxFrameBytes: 16 * 1024 * 1024,
};
