import { decode, encode, sameBytes } from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asked } from '../test/service.ts';
import { Fence } from './fence.ts';
import { lockService } from './lock-service.ts';
import { type LockOperation, type LockResult, lockOperation, lockResult } from './operations.ts';

const [ann, bob, eve] = [65_536, 65_537, 65_538];
const acquire = (session: number, more: Partial<LockOperation> = {}): LockOperation =>
  ({
    kind: 'acquire',
    session,
    name: 'door',
    mode: 'exclusive',
    wait: false,
    delay: 0,
    ...more,
  }) as LockOperation;
const generationOf = (result: LockResult): number =>
  result.kind === 'held' ? result.sequencer.generation : Number.NaN;

describe('a lock', () => {
  test('has one holder, and the next one gets it when it is given back', () => {
    const { ask, open } = asked();
    const [one, two] = [open(ann), open(bob)];
    expect(ask(ann, acquire(one))).toMatchObject({ kind: 'held', sequencer: { generation: 1 } });
    expect(ask(bob, acquire(two))).toEqual({ kind: 'busy', holders: 1 });
    expect(ask(bob, acquire(two, { wait: true }))).toEqual({ kind: 'queued', ahead: 0 });
    expect(ask(ann, { kind: 'keep-alive', session: one, heard: 0 })).toMatchObject({
      kind: 'alive',
      events: [{ what: 'wanted', name: 'door' }],
    });
    ask(ann, { kind: 'release', session: one, name: 'door' });
    expect(ask(bob, { kind: 'keep-alive', session: two, heard: 0 })).toEqual({
      kind: 'alive',
      events: [{ number: 0, what: 'granted', name: 'door', generation: 2 }],
    });
    expect(generationOf(ask(bob, acquire(two)))).toBe(2);
  });

  test('is shared by those who ask for it so, and who waits first is served first', () => {
    const { ask, open } = asked();
    const [one, two, three] = [open(ann), open(bob), open(eve)];
    const shared = { mode: 'shared', wait: true } as const;
    expect(generationOf(ask(ann, acquire(one, shared)))).toBe(1);
    expect(ask(bob, acquire(two, { wait: true }))).toEqual({ kind: 'queued', ahead: 0 });
    // It would fit beside the first, but somebody else is before it.
    expect(ask(eve, acquire(three, shared))).toEqual({ kind: 'queued', ahead: 1 });
    ask(ann, { kind: 'release', session: one, name: 'door' });
    expect(generationOf(ask(bob, acquire(two)))).toBe(2);
    ask(bob, { kind: 'release', session: two, name: 'door' });
    expect(generationOf(ask(eve, acquire(three, shared)))).toBe(3);
    expect(generationOf(ask(ann, acquire(one, shared)))).toBe(3);
  });

  test('has a delay after its holder vanished, and none after it was given back', () => {
    const { ask, open, pass } = asked();
    const [one, two] = [open(ann), open(bob)];
    const awake = (): void => {
      pass(5000);
      ask(bob, { kind: 'keep-alive', session: two, heard: 0 });
    };
    ask(ann, acquire(one, { delay: 10_000_000 }));
    ask(bob, acquire(two, { wait: true }));
    awake();
    awake();
    awake();
    expect(ask(ann, acquire(one))).toEqual({ kind: 'refused', why: 'no session' });
    expect(ask(bob, acquire(two))).toEqual({ kind: 'queued', ahead: 0 });
    awake();
    awake();
    expect(generationOf(ask(bob, acquire(two)))).toBe(2);
    ask(bob, { kind: 'release', session: two, name: 'door' });
    expect(generationOf(ask(bob, acquire(two)))).toBe(3);
  });

  test('A-47: is never given to a session that ended while it waited', () => {
    const { ask, open, pass } = asked();
    const [one, two, three] = [open(ann), open(bob), open(eve)];
    ask(ann, acquire(one));
    ask(bob, acquire(two, { wait: true }));
    ask(eve, acquire(three, { wait: true }));
    // The holder and the first in the queue go silent, and end at the same tick.
    pass(6000);
    ask(eve, { kind: 'keep-alive', session: three, heard: 0 });
    pass(6500);
    expect(generationOf(ask(eve, acquire(three)))).toBe(2);
    expect(ask(bob, acquire(two))).toEqual({ kind: 'refused', why: 'no session' });
  });

  test('its generations go on although it was forgotten in between', () => {
    const { ask, open } = asked();
    const one = open(ann);
    let last = 0;
    for (let i = 0; i < 5; i++) {
      const generation = generationOf(ask(ann, acquire(one)));
      expect(generation).toBeGreaterThan(last);
      last = generation;
      ask(ann, { kind: 'release', session: one, name: 'door' });
      ask(ann, {
        kind: 'write',
        session: one,
        name: 'door',
        content: Uint8Array.of(i),
        expected: 0,
      });
      ask(ann, { kind: 'remove', session: one, name: 'door', expected: null });
    }
  });
});

describe('A-46: whoever pauses for longer than its session', () => {
  const story = (isChecked: boolean): readonly string[] => {
    const { ask, open, pass } = asked();
    const fence = new Fence();
    const log: string[] = [];
    const send = (what: string, held: LockResult): void => {
      if (held.kind !== 'held') throw new Error(what);
      if (!isChecked || fence.admits(held.sequencer)) log.push(what);
    };
    const first = ask(ann, acquire(open(ann)));
    send('by Ann', first);
    pass(13_000);
    const second = ask(bob, acquire(open(bob)));
    send('by Bob', second);
    send('by Ann, late', first);
    return log;
  };

  test('writes over the next holder where nobody checks its token', () => {
    expect(story(false)).toEqual(['by Ann', 'by Bob', 'by Ann, late']);
  });

  test('is refused by a resource that does', () => {
    expect(story(true)).toEqual(['by Ann', 'by Bob']);
  });

  test('and after a restart of the resource too, if it kept the highest', () => {
    const before = new Fence();
    before.admits({ name: 'door', mode: 'exclusive', generation: 34 });
    const after = new Fence(before.highest);
    expect(after.admits({ name: 'door', mode: 'exclusive', generation: 33 })).toBe(false);
    expect(after.admits({ name: 'door', mode: 'exclusive', generation: 34 })).toBe(true);
  });
});

describe('a session', () => {
  test('A-48: ends at the same operation on every replica, and by log time alone', () => {
    const { machine, ask, open, pass } = asked();
    const one = open(ann);
    ask(ann, acquire(one));
    pass(8000);
    const other = lockService({ keepers: [0, 1, 2], faulty: 1 });
    other.restore(machine.snapshot());
    for (let i = 0; i < 40; i++) {
      const operation = encode(lockOperation, { kind: 'tick', elapsed: 200_000 });
      const results = [machine, other].map((each) => each.apply(operation, i % 3));
      expect(results[0]).toEqual(results[1]);
      const states = [machine, other].map((each) => each.snapshot());
      expect(sameBytes(states[0] as Uint8Array, states[1] as Uint8Array)).toBe(true);
    }
    pass(3000);
    expect(ask(ann, acquire(one))).toEqual({ kind: 'refused', why: 'no session' });
  });

  test('outlives an hour in which the group did not work', () => {
    const { ask, open } = asked();
    const one = open(ann);
    for (const keeper of [0, 1, 2]) ask(keeper, { kind: 'tick', elapsed: 3_600_000_000 });
    expect(ask(ann, acquire(one)).kind).toBe('held');
  });

  test("is of no use to another client, and neither is a keeper's word by one that is none", () => {
    const { ask, open } = asked();
    const one = open(ann);
    expect(ask(eve, acquire(one))).toEqual({ kind: 'refused', why: 'no session' });
    expect(ask(eve, { kind: 'close', session: one }).kind).toBe('refused');
    expect(ask(eve, { kind: 'tick', elapsed: 5 })).toEqual({ kind: 'refused', why: 'no keeper' });
    expect(ask(ann, acquire(one)).kind).toBe('held');
  });

  test('that is closed gives everything back at once', () => {
    const { ask, open } = asked();
    const [one, two] = [open(ann), open(bob)];
    ask(ann, acquire(one, { delay: 60_000_000 }));
    ask(bob, acquire(two, { wait: true }));
    ask(ann, { kind: 'close', session: one });
    expect(ask(bob, acquire(two)).kind).toBe('held');
  });

  test('hears each event until it says so, and of one name only the last change', () => {
    const { ask, open } = asked();
    const [one, two] = [open(ann), open(bob)];
    const write = (text: number): LockResult =>
      ask(bob, {
        kind: 'write',
        session: two,
        name: 'menu',
        content: Uint8Array.of(text),
        expected: null,
      });
    ask(ann, { kind: 'watch', session: one, name: 'menu', on: true });
    write(1);
    const events = (heard: number) => ask(ann, { kind: 'keep-alive', session: one, heard });
    const first = { kind: 'alive', events: [{ number: 0, what: 'changed', generation: 1 }] };
    expect(events(0)).toMatchObject(first);
    // What came after the answer is not lost by what is said about the answer.
    write(2);
    expect(events(1)).toMatchObject({ events: [{ number: 1, what: 'changed', generation: 2 }] });
    write(3);
    write(4);
    expect(events(2)).toMatchObject({ events: [{ number: 3, what: 'changed', generation: 4 }] });
    expect(events(4)).toEqual({ kind: 'alive', events: [] });
  });
});

describe('a small file', () => {
  test('is written where it has the expected generation, and nowhere else', () => {
    const { ask, open, machine } = asked();
    const one = open(ann);
    const write = (expected: number | null): LockResult =>
      ask(ann, { kind: 'write', session: one, name: 'a', content: Uint8Array.of(1), expected });
    expect(write(3)).toEqual({ kind: 'other', generation: 0 });
    expect(write(0)).toEqual({ kind: 'written', generation: 1 });
    expect(write(0)).toEqual({ kind: 'other', generation: 1 });
    expect(write(1)).toEqual({ kind: 'written', generation: 2 });
    expect(ask(ann, { kind: 'remove', session: one, name: 'a', expected: 1 })).toEqual({
      kind: 'other',
      generation: 2,
    });
    const read = encode(lockOperation, { kind: 'read', name: 'a' });
    expect(decode(lockResult, machine.query(read))).toEqual({
      kind: 'file',
      content: Uint8Array.of(1),
      generation: 2,
      holders: 0,
      lockGeneration: 0,
    });
    ask(ann, acquire(one, { name: 'a' }));
    expect(ask(ann, { kind: 'remove', session: one, name: 'a', expected: 2 })).toEqual({
      kind: 'refused',
      why: 'locked',
    });
  });
});

describe('whatever clients do', () => {
  const name = fc.constantFrom('a', 'b');
  const session = fc.integer({ min: 1, max: 8 });
  const mode = fc.constantFrom('exclusive' as const, 'shared' as const);
  const operation: fc.Arbitrary<LockOperation> = fc.oneof(
    fc.record({ kind: fc.constant('open' as const) }),
    fc.record({ kind: fc.constant('keep-alive' as const), session, heard: fc.nat(9) }),
    fc.record({ kind: fc.constant('close' as const), session }),
    fc.record({ kind: fc.constant('tick' as const), elapsed: fc.option(fc.nat(2_000_000)) }),
    fc.record({
      kind: fc.constant('acquire' as const),
      session,
      name,
      mode,
      wait: fc.boolean(),
      delay: fc.constantFrom(0, 3_000_000),
    }),
    fc.record({ kind: fc.constant('release' as const), session, name }),
    fc.record({
      kind: fc.constant('write' as const),
      session,
      name,
      content: fc.uint8Array({ maxLength: 3 }),
      expected: fc.option(fc.nat(5)),
    }),
    fc.record({
      kind: fc.constant('remove' as const),
      session,
      name,
      expected: fc.option(fc.nat(5)),
    }),
    fc.record({ kind: fc.constant('watch' as const), session, name, on: fc.boolean() }),
    fc.record({ kind: fc.constant('read' as const), name }),
  );
  const steps = fc.array(fc.tuple(fc.constantFrom(0, 1, ann, bob, eve), operation), {
    maxLength: 200,
  });

  test('no generation is held by two exclusively, and generations only grow', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { ask } = asked({ lease: 5000 });
        const holders = new Map<string, number>();
        const highest = new Map<string, number>();
        for (const [client, each] of all) {
          const result = ask(client, each);
          if (result.kind !== 'held' || each.kind !== 'acquire') continue;
          const { sequencer } = result;
          const key = `${sequencer.name} ${sequencer.generation} ${sequencer.mode}`;
          if (sequencer.mode === 'exclusive')
            expect(holders.get(key) ?? each.session, key).toBe(each.session);
          holders.set(key, each.session);
          const before = highest.get(sequencer.name) ?? 0;
          expect(sequencer.generation).toBeGreaterThanOrEqual(before);
          highest.set(sequencer.name, sequencer.generation);
        }
      }),
    );
  });

  test('who is restored from a snapshot answers as who has run everything', () => {
    fc.assert(
      fc.property(steps, fc.nat(200), (all, cut) => {
        const rules = { keepers: [0, 1, 2], faulty: 1, lease: 5000 };
        const one = lockService(rules);
        let two = lockService(rules);
        for (const [i, [client, each]] of all.entries()) {
          if (i === cut) {
            two = lockService(rules);
            two.restore(one.snapshot());
          }
          const bytes = encode(lockOperation, each);
          expect(two.apply(bytes, client)).toEqual(one.apply(bytes, client));
        }
        expect(sameBytes(one.snapshot(), two.snapshot())).toBe(true);
      }),
    );
  });

  test('bytes that are no operation are refused and change nothing', () => {
    const { machine } = asked();
    const before = machine.snapshot();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const isOperation = (() => {
          try {
            decode(lockOperation, bytes);
            return true;
          } catch {
            return false;
          }
        })();
        const result = decode(lockResult, machine.query(bytes));
        if (!isOperation) {
          expect(result).toEqual({ kind: 'refused', why: 'malformed' });
          expect(decode(lockResult, machine.apply(bytes, ann))).toEqual(result);
        }
      }),
    );
    expect(sameBytes(machine.snapshot(), before)).toBe(true);
  });
});
