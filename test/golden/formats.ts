import { channel, wire } from './channel.ts';
import { disk, flushed } from './disk.ts';
import type { Format } from './golden.ts';
import { ofProtocols, service } from './protocols.ts';

/** Everything that travels between processes or is stored, by what has one version. */
export const formats: readonly Format[] = [
  ...ofProtocols,
  service,
  ...wire,
  ...channel,
  disk,
  flushed,
];
