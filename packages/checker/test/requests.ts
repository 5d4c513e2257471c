/** Requests, what came of them, and what an observer found, in few words. */
import type { Applied, Request } from '@quorumlab/core';
import type { Observer } from '../src/index.ts';

export const bytes = (text: string): Uint8Array =>
  Uint8Array.from(text, (each) => each.charCodeAt(0));
export const request = (
  sequence: number,
  operation = `op${sequence}`,
  client = 65_536,
): Request => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: 0,
  operations: [bytes(operation)],
});
export const applied = (slot: number, of: Request, more: Partial<Applied> = {}): Applied => ({
  slot,
  client: of.client,
  sequence: of.sequence,
  operations: of.operations,
  results: [bytes('done')],
  fresh: true,
  state: slot + 1,
  ...more,
});
export const word = (observer: Observer): string => observer.violation?.rule ?? 'ok';
