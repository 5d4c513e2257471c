/** What a running node remembers so that it can be asked: its log, its story, what it has heard. */
import {
  type Decision,
  type Instant,
  type Output,
  type Protocol,
  type Request,
  request,
  type Status,
  toUtf8,
} from '@quorumlab/core';
import {
  type AnyShape,
  describeRequest,
  type StoryLine,
  type Storyteller,
  storyteller,
} from '@quorumlab/harness';
import { type LogShape, serviced } from '@quorumlab/log';
import { digestOf, sha256 } from '@quorumlab/wire';
import type { HeardStatement, LogDigests, LoggedSlot } from './reports.ts';

/** Bounds of what is remembered; the oldest goes first. */
export interface RecordLimits {
  /** Positions of the log. */
  readonly slots: number;
  /** Requests in them. */
  readonly requests: number;
  /** Statements heard. */
  readonly statements: number;
  /** Bytes of statements heard. */
  readonly statementBytes: number;
  /** Lines of the story; it stops there. */
  readonly storyLines: number;
}

const limitsUnlessTold: RecordLimits = {
  slots: 65_536,
  requests: 131_072,
  statements: 4096,
  statementBytes: 16 * 1024 * 1024,
  storyLines: 2000,
};

/** The committed positions, in order and without gaps. */
export interface LogView {
  add(decision: Decision<LogShape>): void;
  /** From slot `from` on, at most `limit` positions. */
  slots(from: number, limit: number): readonly LoggedSlot[];
  digests(from: number): LogDigests;
  /** The last position; -1: none. */
  last(): number;
}

/** See {@link LogView}. */
export function logView(limits: RecordLimits = limitsUnlessTold): LogView {
  const kept = new Map<number, LoggedSlot>();
  let first = 0;
  let next = 0;
  let requests = 0;

  function forget(): void {
    while (kept.size > 1 && (kept.size > limits.slots || requests > limits.requests)) {
      requests -= kept.get(first)?.requests.length ?? 0;
      kept.delete(first++);
    }
  }

  return {
    add({ slot, commands }) {
      // A snapshot took the place of what lies between: a new run of positions begins.
      if (slot !== next) {
        kept.clear();
        requests = 0;
        first = slot;
      }
      kept.set(slot, { slot, requests: commands.map(logged) });
      requests += commands.length;
      next = slot + 1;
      forget();
    },
    slots(from, limit) {
      const found: LoggedSlot[] = [];
      for (let slot = Math.max(from, first); slot < next && found.length < limit; slot++) {
        const each = kept.get(slot);
        if (each !== undefined) found.push(each);
      }
      return found;
    },
    digests(from) {
      const start = Math.min(Math.max(from, first), next);
      const digests: string[] = [];
      for (let slot = start; slot < next; slot++) digests.push(digestOfSlot(kept.get(slot)));
      return { from: start, digests };
    },
    last: () => next - 1,
  };
}

/** Most letters of a request in a report. */
const mostLetters = 120;

function logged(each: Request): LoggedSlot['requests'][number] {
  const text = describeRequest(each);
  return {
    client: each.client,
    sequence: each.sequence,
    digest: digestOf(request, each),
    text: text.length > mostLetters ? `${text.slice(0, mostLetters)}…` : text,
  };
}

const noOp = '-';

/** One position in 16 digits: two positions with equal ones hold the same requests in one order. */
function digestOfSlot(slot: LoggedSlot | undefined): string {
  if (slot === undefined || slot.requests.length === 0) return noOp;
  const [only] = slot.requests;
  if (only !== undefined && slot.requests.length === 1) return only.digest.slice(0, 16);
  const all = slot.requests.map(({ digest }) => digest).join('');
  return Buffer.from(sha256(toUtf8(all)).subarray(0, 8)).toString('hex');
}

/** What was said by others, kept so that lies told to different nodes can be laid side by side. */
export interface Hearing {
  add(message: AnyShape['Message'] & { readonly from: number }, frame: Uint8Array): void;
  statements(): readonly HeardStatement[];
}

/** Remembers frames of messages that bind their signers. */
export function hearing(
  protocol: Protocol<LogShape>,
  limits: RecordLimits = limitsUnlessTold,
): Hearing {
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;
  const { vows } = serviced(protocol);
  return {
    add(message, frame) {
      const [vow] = vows(message);
      if (vow === undefined) return;
      const name = Buffer.from(sha256(frame).subarray(0, 16)).toString('hex');
      if (kept.has(name)) return;
      kept.set(name, frame);
      bytes += frame.length;
      for (const [oldest, each] of kept) {
        if (kept.size <= limits.statements && bytes <= limits.statementBytes) break;
        kept.delete(oldest);
        bytes -= each.length;
      }
    },
    statements: () =>
      [...kept.values()].map((frame) => ({ frame: Buffer.from(frame).toString('base64') })),
  };
}

/** The story of one node; times in microseconds since 1970. */
export interface StoryRecord {
  stepped(at: Instant, output: Output<AnyShape>, status: Status): void;
  lines(): readonly StoryLine[];
  /** From now on it is told as that of a traitor. */
  turnTraitor(): void;
}

/** See {@link StoryRecord}. */
export function storyRecord(
  self: number,
  traitor: boolean,
  termWord?: string,
  limits: RecordLimits = limitsUnlessTold,
): StoryRecord {
  const origin = Math.floor(performance.timeOrigin * 1000);
  const told: StoryLine[] = [];
  let teller: Storyteller = storyteller(self, traitor, termWord);
  return {
    stepped(at, output, status) {
      if (told.length >= limits.storyLines) return;
      told.push(...teller.stepped(origin + at, output, status));
    },
    lines: () => told,
    turnTraitor() {
      teller = storyteller(self, true, termWord);
    },
  };
}
