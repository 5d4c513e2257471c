/** The largest of everything that a layer lets pass, through every layer below it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Certificate,
  encode,
  envelopeBytes,
  type Field,
  firstClient,
  maxBatchBytes,
  maxChangeBytes,
  maxFrameBytes,
  maxOperationBytes,
  maxOperations,
  maxRequestBytes,
  maxResultBytes,
  operationBytes,
  type Protocol,
  peerQueueBytes,
  type Request,
  range,
  requestBytes,
  type Shape,
  type Signature,
  type Signed,
  type StoredFields,
  sameBytes,
  seal,
  type Tagged,
  type Write,
} from '@quorumlab/core';
import { openDisk, openLog, openSqliteLog } from '@quorumlab/disk';
import { hotstuff } from '@quorumlab/hotstuff';
import { anyProtocol, chunkBytes, type LogShape, maxChunks, serviced } from '@quorumlab/log';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { pbft } from '@quorumlab/pbft';
import { raft } from '@quorumlab/raft';
import { tendermint } from '@quorumlab/tendermint';
import { digestOf, envelopes, isRefusal } from '@quorumlab/wire';
import { zab } from '@quorumlab/zab';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_BYTES, FrameReader } from '../../packages/node/src/frames.ts';
import { PeerQueue } from '../../packages/node/src/peer-queue.ts';

const signature = new Uint8Array(64).fill(7) as Signature;
const digest = 'd'.repeat(64);
const largeNumber = 2 ** 40;

const requestOf = (operations: readonly Uint8Array[]): Signed<Request> =>
  seal(
    {
      kind: 'request',
      client: firstClient,
      sequence: largeNumber,
      acknowledged: largeNumber,
      operations,
    },
    firstClient,
    signature,
  );
const filled = (count: number, size: number): Uint8Array[] =>
  range(count).map((i) => new Uint8Array(size).fill(i));

/** The largest requests: few operations of full size, and as many as there may be. */
const requests: readonly Signed<Request>[] = [
  requestOf(filled(maxRequestBytes / maxOperationBytes, maxOperationBytes)),
  requestOf(filled(maxOperations, maxRequestBytes / maxOperations)),
  { ...requestOf([]), configuration: new Uint8Array(maxChangeBytes) },
];
const largest = requests[1] as Signed<Request>;
/** The largest batches: full of bytes, and full of requests that are almost nothing but lengths. */
const batches = [
  [requests[0], requests[1]] as Signed<Request>[],
  range(256).map(() => requestOf(filled(64, operationBytes))),
];
const certified = <M>(body: M, n: number): Certificate<M> => ({
  body,
  seals: range(n).map((from) => ({ from, signature })),
});

/** The messages of Zab with transactions. */
const ofZab = (command: Signed<Request>): readonly (readonly [string, object])[] =>
  ['diff', 'newleader', 'propose'].map((kind) => {
    const transactions = Array.from({ length: 1024 }, () => ({ epoch: 1, command }));
    return [kind, { kind, epoch: 1, previous: { epoch: 1, counter: 1 }, transactions }];
  });

const groupsOf = (n: number) => ({
  crash: {
    raft: anyProtocol(raft({ n })),
    zab: anyProtocol(zab({ n })),
    paxos: anyProtocol(multiPaxos({ n: Math.min(n, 16) })),
  },
  byzantine: {
    pbft: anyProtocol(pbft({ n })),
    hotstuff: anyProtocol(hotstuff({ n, digest: digestOf })),
  },
});

/** Messages by what they are the largest of, for groups of `n` with default options. */
function messagesOf(n: number): readonly (readonly [string, Protocol<LogShape>, Tagged])[] {
  const all: (readonly [string, Protocol<LogShape>, Tagged])[] = [];
  const { crash, byzantine } = groupsOf(n);
  const add = (name: string, protocol: Protocol<LogShape>, message: object): void =>
    void all.push([name, protocol, message as Tagged]);
  for (const request of requests) add('request', crash.raft, request);
  for (const results of [filled(16, maxOperationBytes), filled(1024, maxResultBytes / 1024)]) {
    const reply = { kind: 'reply', client: 1, sequence: 1, hash: 1, leader: n, term: 1, results };
    add('reply', crash.raft, reply);
    add('query-reply', crash.raft, { kind: 'query-reply', sequence: 1, results });
  }
  const { operations } = largest;
  const query = { kind: 'query', sequence: 1, consistency: 'local', operations };
  add('query', crash.raft, query);
  const chunks = Array.from({ length: maxChunks }, () => digest);
  add('manifest', crash.raft, { kind: 'snapshot-manifest', slot: 1, size: 1, chunks });
  const bytes = new Uint8Array(chunkBytes);
  add('chunk', crash.raft, { kind: 'snapshot-chunk', root: digest, index: 0, bytes });
  const command = requestOf([new Uint8Array(1024 - 160)]);
  const entries = Array.from({ length: 1024 }, () => ({ term: 1, command }));
  const append = { term: 1, prevIndex: 1, prevTerm: 1, leaderCommit: 1, round: 1 };
  add('entries', crash.raft, { kind: 'append-entries', ...append, entries });
  for (const [kind, message] of ofZab(command)) add(kind, crash.zab, message);
  const most = Math.floor(maxBatchBytes / requestBytes(command));
  const value = range(Math.min(most, maxOperations)).map(() => command);
  add('slot', crash.paxos, {
    kind: 'accept',
    ballot: 1,
    slot: 1,
    value,
    firstUnchosen: 0,
  });
  for (const batch of batches) {
    add('batch', byzantine.pbft, {
      kind: 'pre-prepare',
      epoch: largeNumber,
      view: 1,
      sequence: 1,
      digest,
      batch,
    });
    const timeouts = range(n).map((from) =>
      seal({ kind: 'timeout', set: 1, view: largeNumber, highView: 1 } as const, from, signature),
    );
    const justify = certified(
      { kind: 'vote', set: 1, view: 1, block: digest, justifyView: 1 } as const,
      n,
    );
    const block = { set: 1, view: 1, height: 1, parent: digest, batch };
    add('block', byzantine.hotstuff, { kind: 'proposal', block, justify, timeouts });
  }
  return all;
}

/** What PBFT says of view changes, and of epochs, with the signatures of all. */
function* viewsOf(n: number): Iterable<ReturnType<typeof messagesOf>[number]> {
  const group = anyProtocol(pbft({ n }));
  yield ['epochs', group, { kind: 'epochs', handovers: handoversOf(n) } as Tagged];
  const claims = range(256).map((i) => ({
    view: largeNumber - 1,
    sequence: largeNumber - 256 + i,
    digest,
  }));
  const checkpoint = certified(
    { kind: 'checkpoint', epoch: largeNumber, group: digest, sequence: 256, digest } as const,
    n,
  );
  const viewChange = {
    kind: 'view-change',
    epoch: largeNumber,
    view: 1,
    checkpoint: { sequence: 1, digest },
  } as const;
  const viewChanges = range(n).map((from) =>
    seal({ ...viewChange, prepared: claims }, from, signature),
  );
  const newView = {
    kind: 'new-view',
    epoch: largeNumber,
    view: largeNumber,
    checkpoint,
    configuration: changed(n),
    viewChanges,
    orders: claims.map(({ sequence }) => ({ sequence, digest })),
  };
  yield ['new view', group, newView];
}

/** A group that has asked for as many changes as it can, and to which as many came as can. */
const changed = (n: number) => ({
  asked: range(1024).map(() => ({ client: 65_536, session: largeNumber, sequence: largeNumber })),
  epoch: { number: 1, after: 1, members: range(n) },
  next: { number: 2, after: 2, members: range(n) },
  seats: range(64).map((i) => ({ member: n + i, about: new Uint8Array(128) })),
});

/** As many epochs as are shown at once. */
function handoversOf(n: number) {
  const body = { kind: 'checkpoint', epoch: 1, group: digest, sequence: 256, digest } as const;
  const checkpoint = certified(body, n);
  return range(16).map(() => ({ checkpoint, configuration: changed(n) }));
}

/** What Tendermint says of one height, with the signatures of all. */
function* heightsOf(n: number): Iterable<ReturnType<typeof messagesOf>[number]> {
  const group = anyProtocol(tendermint({ n, digest: digestOf }));
  const place = { height: largeNumber, round: largeNumber, set: largeNumber };
  const prevote = { kind: 'prevote', ...place, value: digest, validRound: 1 } as const;
  const polka = certified(prevote, n);
  const commit = certified({ kind: 'precommit', ...place, value: digest } as const, n);
  for (const batch of batches) {
    const validRound = largeNumber - 1;
    const proposal = { kind: 'proposal', ...place, batch, validRound, polka };
    const decision = { kind: 'decision', commit, batch };
    yield ['proposal', group, proposal];
    yield ['decision', group, decision];
  }
}

/** All of them in a small group; in a large one those whose size follows from n. */
const dependentOn = (n: number): ReturnType<typeof messagesOf> =>
  [...messagesOf(n), ...viewsOf(n), ...heightsOf(n)].filter(
    ([name]) => n === 4 || ['block', 'new view', 'epochs', 'proposal', 'decision'].includes(name),
  );

describe.each([4, 100])('n = %i', (n) => {
  test.each(dependentOn(n))(
    'the largest %s goes through envelope, queue and stream',
    (_, protocol, body) => {
      const { messages } = serviced(protocol);
      const domain = { cluster: 'c', group: 'g', epoch: 0, protocol: protocol.name, version: 1 };
      const codec = envelopes(domain, messages);
      const from = 'from' in body ? (body.from as number) : 0;
      const frame = codec.encode(seal(body, from, signature) as never);
      expect(frame.length - envelopeBytes).toBeLessThanOrEqual(
        messages.of(body.kind)?.maxBytes ?? 0,
      );
      const sent: Uint8Array[] = [];
      const sink = { writable: () => true, send: (bytes: Uint8Array) => void sent.push(bytes) };
      // As a link makes it: one frame of full size has room, whatever the limit of the queue.
      const room = Math.max(peerQueueBytes, maxFrameBytes + 64);
      const queue = new PeerQueue(sink, room, (run) => run());
      expect(queue.push(frame)).toBe(true);
      queue.flush();
      let heard: Uint8Array | undefined;
      const reader = new FrameReader(maxFrameBytes, (each) => (heard = each.slice()).length > 0);
      for (const bytes of sent) expect(reader.push(bytes)).toBe('ok');
      expect(sent.reduce((sum, { length }) => sum + length, 0)).toBe(
        frame.length + FRAME_HEADER_BYTES,
      );
      const decoded = codec.decode(heard as Uint8Array, { maxFrameBytes });
      expect(isRefusal(decoded) ? decoded : undefined).toBeUndefined();
      expect(sameBytes(codec.encode(decoded as never), frame)).toBe(true);
    },
  );
});

const long = process.env.QUORUMLAB_LONG_TESTS === '1';

describe.each([
  ['files', openLog],
  ['node:sqlite', openSqliteLog],
] as const)('%s', (_, open) => {
  test.each([
    [
      'pbft',
      anyProtocol(pbft({ n: 100 })),
      'prePrepares',
      (batch: unknown) => ({ view: 1, digest, batch }),
    ],
    [
      'pbft, prepared',
      anyProtocol(pbft({ n: 100 })),
      'prepared',
      (batch: unknown) => ({
        proof: certified({ kind: 'prepare', epoch: 0, view: 1, sequence: 1, digest }, 100),
        batch,
      }),
    ],
    ['raft', anyProtocol(raft({ n: 3 })), 'log', () => ({ term: 1, command: largest })],
    ['zab', anyProtocol(zab({ n: 3 })), 'history', () => ({ epoch: 1, command: largest })],
    [
      'multi-paxos',
      anyProtocol(multiPaxos({ n: 3 })),
      'accepted',
      () => ({ ballot: 1, value: [largest] }),
    ],
  ])(
    'keeps the largest rows of %s, as many as a step may write',
    async (_, protocol, table, rowOf) => {
      const folder = await mkdtemp(join(tmpdir(), 'quorumlab-ladder-'));
      const of = serviced(protocol);
      const options = {
        stored: of.stored as unknown as StoredFields<Shape>,
        initial: of.stable() as Shape['Stable'],
        // The long run has the records that a node has, and a commit that is larger than one.
        open: (replay: (batch: Uint8Array) => void) =>
          open(folder, {
            owner: 'ladder',
            replay,
            ...(long ? {} : { maxBatchBytes: maxBatchBytes }),
          }),
      };
      const disk = await openDisk<Shape>(options);
      const rows = range(long ? 64 : 6).map((index) => rowOf(batches[index % 2]));
      const writes = rows.map((row, index) => ({ type: 'put', table, index, row }) as Write<Shape>);
      await disk.commit(writes);
      await disk.close();
      const again = await openDisk<Shape>(options);
      const kept = (again.stable as Record<string, ReadonlyMap<number, unknown>>)[table];
      expect(kept?.size).toBe(rows.length);
      const field = (options.stored as unknown as Record<string, Field<unknown>>)[
        table
      ] as Field<unknown>;
      expect(sameBytes(encode(field, kept?.get(1)), encode(field, rows[1]))).toBe(true);
      await again.close();
      await rm(folder, { recursive: true });
    },
  );
});
