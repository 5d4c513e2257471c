import { firstClient, fromUtf8 } from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Group, group } from '../test/group.ts';
import { runs } from '../test/runs.ts';
import { honest } from '../test/sequencer.ts';
import { kv } from './key-value-store.ts';

const text = (bytes: Uint8Array | null | undefined) => (bytes ? fromUtf8(bytes) : bytes);

/** All operations that ran at a replica, in order. */
const ran = (g: Group, id: number): string[] =>
  (g.world.applied.get(id) ?? [])
    .filter((each) => each.fresh)
    .map(({ slot, client, sequence }) => `${slot} ${client} ${sequence}`);

const hashes = (g: Group, id: number) =>
  new Map(
    (g.world.applied.get(id) ?? []).map((each) => [
      `${each.slot} ${each.client} ${each.sequence}`,
      each.state,
    ]),
  );

describe('a request', () => {
  test('runs on every replica and is answered', () => {
    const g = group();
    const put = g.ask(firstClient, kv.put('a', '1'));
    g.world.run(1e6);
    expect(g.answer(firstClient, put)).toEqual({ kind: 'stored' });
    const get = g.ask(firstClient, kv.get('a'), true);
    g.world.run(1e6);
    const value = g.answer(firstClient, get);
    expect(typeof value === 'object' && value.kind === 'value' && text(value.value)).toBe('1');
    expect(g.members.map((id) => g.state(id))).toEqual(Array(3).fill(g.state(0)));
  });

  test('runs exactly once, however often it is lost, repeated and reordered', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const g = group({ seed, clients: 3, loss: 150, repeat: 200, snapshotEvery: 5 });
        const asked = [0, 1, 2].flatMap((c) =>
          Array.from({ length: 12 }, (_, i) => ({
            at: firstClient + c,
            id: g.ask(firstClient + c, kv.append('log', `${c}.${i};`)),
          })),
        );
        const all = () => asked.every(({ at, id }) => g.answer(at, id) !== undefined);
        expect(g.world.run(120e6, all)).toBe(true);
        expect(g.agree(120e6)).toBe(true);
        const whole = g.state(0);
        for (const c of [0, 1, 2])
          for (let i = 0; i < 12; i++) expect(whole.split(`${c}.${i};`)).toHaveLength(2);
        for (const id of g.members) expect(new Set(ran(g, id)).size).toBe(ran(g, id).length);
        // What a replica got by a snapshot it has not run.
        const mine = hashes(g, 0);
        for (const [key, hash] of hashes(g, 1)) expect(mine.get(key) ?? hash).toBe(hash);
      }),
      { numRuns: runs(25) },
    );
  });

  test('reaches the leader by way of a replica that is not', () => {
    const g = group({ client: { leader: 2 } });
    const id = g.ask(firstClient, kv.put('a', '1'));
    g.world.run(400_000);
    expect(g.answer(firstClient, id)).toEqual({ kind: 'stored' });
  });

  test('can be submitted at any replica', () => {
    const g = group();
    const ids = g.members.map((at) => g.ask(at, kv.append('a', `${at}`)));
    g.world.run(2e6);
    expect(g.members.map((at, i) => g.answer(at, ids[i] as number))).toEqual(
      Array(3).fill({ kind: 'stored' }),
    );
  });

  test('shares a message with others while the window is full', () => {
    const g = group();
    for (let i = 0; i < 500; i++) g.ask(firstClient, kv.append('a', 'x'));
    g.world.run(3e6);
    expect(ran(g, 0).length).toBeLessThan(10);
    expect(g.state(1).split('x').length - 1).toBe(500);
  });

  test('that was cancelled before it was sent never runs', () => {
    const g = group({ client: { window: 1 } });
    g.ask(firstClient, kv.put('a', '1'));
    const second = g.ask(firstClient, kv.put('b', '2'));
    g.world.tell(firstClient, { type: 'cancel', id: second });
    g.world.run(3e6);
    expect(g.answer(firstClient, second)).toBeUndefined();
    expect(g.state(0)).not.toContain('b');
  });

  test('is refused when too many wait', () => {
    const g = group({ client: { maxWaiting: 2 } });
    const ids = [1, 2, 3].map((i) => g.ask(firstClient, kv.put('a', `${i}`)));
    g.world.run(1e6);
    expect(g.answer(firstClient, ids[0] as number)).toEqual({ kind: 'stored' });
    expect(g.answer(firstClient, ids[2] as number)).toMatch(/submit it again later/);
  });
});

describe('a read', () => {
  test('does not enter the log where the protocol can read', () => {
    const g = group();
    g.ask(firstClient, kv.put('a', '1'));
    g.world.run(1e6);
    const id = g.ask(firstClient, kv.get('a'), true);
    g.world.run(1e6);
    expect(g.answer(firstClient, id)).toMatchObject({ kind: 'value' });
    expect(ran(g, 0)).toHaveLength(1);
  });

  test('goes through the log where it cannot, even if the client hoped otherwise', () => {
    const g = group({ readable: false, client: { orderReads: false } });
    g.ask(firstClient, kv.put('a', '1'));
    const id = g.ask(firstClient, kv.get('a'), true);
    g.world.run(3e6);
    expect(g.answer(firstClient, id)).toMatchObject({ kind: 'value' });
    expect(ran(g, 0)).toHaveLength(2);
  });

  test('may be local at a replica, and then is answered at once', () => {
    const g = group();
    g.world.tell(1, {
      type: 'submit',
      id: 77,
      operation: kv.get('a'),
      readOnly: true,
      local: true,
    });
    expect(g.answer(1, 77)).toEqual({ kind: 'value', value: null });
  });
});

describe('a restart', () => {
  test('brings the state back from snapshot and log, and runs nothing twice', () => {
    const g = group({ snapshotEvery: 4 });
    for (let i = 0; i < 10; i++) {
      g.ask(firstClient, kv.append('a', `${i},`));
      g.world.run(50_000);
    }
    g.world.run(1e6);
    const before = g.state(1);
    for (const id of g.members) {
      g.world.crash(id);
      g.world.restart(id);
    }
    expect(g.members.map((id) => g.state(id))).toEqual(Array(3).fill(before));
    const id = g.ask(firstClient, kv.append('a', 'end'));
    g.world.run(3e6);
    expect(g.answer(firstClient, id)).toEqual({ kind: 'stored' });
    expect(g.members.map((each) => g.state(each))).toEqual(Array(3).fill(g.state(0)));
    expect(g.state(2).split('end')).toHaveLength(2);
  });

  test('does not let an embedded client use a sequence again', () => {
    const g = group();
    g.ask(1, kv.append('a', 'x'));
    g.world.run(1e6);
    g.world.crash(1);
    g.world.restart(1);
    const id = g.ask(1, kv.append('a', 'y'));
    g.world.run(3e6);
    expect(g.answer(1, id)).toEqual({ kind: 'stored' });
    expect(g.state(0)).toContain('xy');
  });

  test('keeps sessions: an old request from before the snapshot does not run again', () => {
    const g = group({ snapshotEvery: 1, loss: 0 });
    g.ask(firstClient, kv.append('a', 'x'));
    g.world.run(1e6);
    const request = {
      kind: 'request',
      client: firstClient,
      sequence: 1,
      acknowledged: 1,
      operations: [kv.append('a', 'x')],
      from: firstClient,
      signature: new Uint8Array(),
    };
    for (const id of g.members) {
      g.world.crash(id);
      g.world.restart(id);
    }
    g.world.tell(0, { type: 'message', message: request });
    g.world.run(1e6);
    expect(g.state(0).split('x')).toHaveLength(2);
  });
});

describe('where f+1 equal replies are asked for', () => {
  const byzantine = { ...honest, matching: 2, ask: 'any' as const };
  const forge = (g: Group, id: number) =>
    g.world.lie(id, (output) => ({
      ...output,
      sends: output.sends.map(({ to, message }) => ({
        to,
        message: message.kind === 'reply' ? { ...message, results: [kv.get('forged')] } : message,
      })),
    }));

  test('a liar is never believed', () => {
    for (const liar of [0, 1, 2]) {
      const g = group({ n: 4, policy: byzantine, seed: liar });
      forge(g, liar);
      const ids = Array.from({ length: 5 }, (_, i) => g.ask(firstClient, kv.put('a', `${i}`)));
      g.world.run(5e6);
      for (const id of ids) expect(g.answer(firstClient, id)).toEqual({ kind: 'stored' });
    }
  });

  test('one reply is not enough', () => {
    const g = group({ n: 4, policy: byzantine });
    for (const id of [1, 2, 3]) g.world.lie(id, (output) => ({ ...output, sends: [] }));
    const id = g.ask(firstClient, kv.put('a', '1'));
    g.world.run(5e6);
    expect(g.answer(firstClient, id)).toBeUndefined();
  });

  test('and in the crash model the one who answers is believed, liar or not', () => {
    const g = group();
    forge(g, 0);
    g.world.lie(0, (output) => ({
      ...output,
      sends: output.sends.map(({ to, message }) => ({
        to,
        message:
          message.kind === 'reply' ? { ...message, results: [new Uint8Array([9])] } : message,
      })),
    }));
    const id = g.ask(firstClient, kv.put('a', '1'));
    g.world.run(1e6);
    expect(() => g.answer(firstClient, id)).toThrow();
  });
});
