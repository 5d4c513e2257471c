/** Protocols whose tests of one kind are long have a file each, so that files run side by side. */
import { existsSync } from 'node:fs';
import { type ProtocolEntry, protocols } from '@quorumlab/harness';

/** The protocols that have no test file of their own beside the test file at `url`. */
export const withoutFile = (url: string): readonly ProtocolEntry[] =>
  protocols.filter(({ name }) => !existsSync(new URL(`${name}.test.ts`, url)));
