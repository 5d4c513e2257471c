import { type Field, readBytes, SchemaError, writeBytes } from '@quorumlab/core';
import { type LogCodec, maxOperationBytes } from '@quorumlab/log';

/** Bytes as they are: only for whole values, since nothing says where they end. */
const raw: Field<Uint8Array> = {
  type: `raw bytes ≤ ${maxOperationBytes}`,
  maxBytes: maxOperationBytes,
  write(to, value) {
    if (value.length > maxOperationBytes)
      throw new SchemaError(`${value.length} bytes are more than the ${maxOperationBytes} allowed`);
    writeBytes(to, value);
  },
  read: (from) => readBytes(from, from.end - from.at),
  mix: (hash) => hash,
  sample: (random) => Uint8Array.from({ length: random.below(24) }, () => random.below(256)),
  mutate: (value, random) =>
    Uint8Array.from([...value, random.below(256)].slice(-maxOperationBytes)),
};

/** Operations and results as the state machine takes and gives them. */
export const rawCodec: LogCodec<Uint8Array, Uint8Array, Uint8Array> = {
  command: raw,
  result: raw,
  query: raw,
};
