/** Every bound of the host loop in one place; the mesh has its own in `MeshLimits`. */
import {
  envelopeBytes,
  inboxBytes,
  inboxBytesOfPeer,
  type MessagesField,
  maxFrameBytes,
  submitBytes,
  type Tagged,
  waitingOutputBytes,
} from '@quorumlab/core';
import { NodeConfigError } from './cluster-identity.ts';
import type { RaiseLimits } from './raises.ts';
import type { WorkLimits } from './work.ts';

/**
 * See the module's comment. Work is counted in `work.ts`; where the sizes come from is in core's
 * `limits.ts`.
 */
export interface HostLimits extends WorkLimits, RaiseLimits {
  /** Most inputs that are stepped before the event loop gets its turn. */
  readonly inputsPerTick: number;
  /** Most milliseconds of the loop until others get theirs, also amid the check of one frame. */
  readonly sliceMs: number;
  /** Frames of one peer that wait to be checked and stepped; above it nothing is read of it. */
  readonly waitingPerPeer: number;
  /** As `waitingPerPeer`, in bytes of frames. */
  readonly waitingBytesPerPeer: number;
  /** As `waitingPerPeer`, of frames in which a member passes on what clients ask. */
  readonly passedOnPerPeer: number;
  /** As `passedOnPerPeer`, in bytes of frames. */
  readonly passedOnBytesPerPeer: number;
  /** Bytes of frames of all peers that wait; above it each peer has an equal share. */
  readonly waitingBytes: number;
  /** Most outputs that wait for the disk; above it no input is stepped. */
  readonly waitingOutputs: number;
  /** As `waitingOutputs`, in bytes of what they write and say. */
  readonly waitingOutputBytes: number;
  /** Most operations of this process that wait to be stepped; further ones get an error at once. */
  readonly waitingSubmits: number;
  /** As `waitingSubmits`, in bytes. */
  readonly waitingSubmitBytes: number;
  /** Largest frame in bytes, sent or received; at least what the protocol may say. */
  readonly maxFrameBytes: number;
}

/** Limits that honest members do not notice. */
export const defaultHostLimits: HostLimits = {
  inputsPerTick: 1024,
  sliceMs: 4,
  memberWorkPerSecond: 100_000,
  clientWorkPerSecond: 100_000,
  savedWorkSeconds: 4,
  savedPassedOnSeconds: 1,
  savedRaises: 4,
  raiseEveryMs: 5_000,
  waitingPerPeer: 1024,
  waitingBytesPerPeer: inboxBytesOfPeer,
  passedOnPerPeer: 1024,
  passedOnBytesPerPeer: inboxBytesOfPeer,
  waitingBytes: inboxBytes,
  waitingOutputs: 4096,
  waitingOutputBytes,
  waitingSubmits: 65_536,
  waitingSubmitBytes: submitBytes,
  maxFrameBytes,
};

/** `given` with every default. Throws {@link NodeConfigError} if two of them cannot both hold. */
export function hostLimits(given: Partial<HostLimits> | undefined): HostLimits {
  const limits = { ...defaultHostLimits, ...given };
  for (const [name, value] of Object.entries(limits))
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new NodeConfigError(`${name} is ${value}; use an integer of 1 or more.`);
  if (limits.waitingBytes < limits.waitingBytesPerPeer)
    throw new NodeConfigError(
      `waitingBytes is ${limits.waitingBytes} and waitingBytesPerPeer ` +
        `${limits.waitingBytesPerPeer}: one peer could take more than there is for all; set ` +
        `waitingBytes to ${limits.waitingBytesPerPeer} or more.`,
    );
  return limits;
}

/** Throws {@link NodeConfigError} if `protocol` may say something that no frame could carry. */
export function requireFrames<M extends Tagged>(
  limits: HostLimits,
  protocol: {
    readonly name: string;
    readonly messages: MessagesField<M>;
    readonly limitedBy?: Readonly<Record<string, string>>;
  },
): void {
  const largest = protocol.messages.kinds.reduce((one, other) =>
    other.maxBytes > one.maxBytes ? other : one,
  );
  const needed = largest.maxBytes + envelopeBytes;
  if (needed <= limits.maxFrameBytes) return;
  const option = protocol.limitedBy?.[largest.kind];
  const lower = option === undefined ? '' : `, or lower ${option} of the protocol`;
  throw new NodeConfigError(
    `A ${largest.kind} of ${protocol.name} may take ${needed} bytes, and maxFrameBytes is ` +
      `${limits.maxFrameBytes}: set maxFrameBytes to ${needed} or more${lower}.`,
  );
}
