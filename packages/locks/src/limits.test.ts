import { describe, expect, test } from 'vitest';
import { asked } from '../test/service.ts';
import {
  maxBytesPerClient,
  maxContentBytes,
  maxNamesPerSession,
  maxSessions,
  maxSessionsPerClient,
} from './limits.ts';
import { lockService } from './lock-service.ts';

const write = (session: number, name: string, size: number) =>
  ({ kind: 'write', session, name, content: new Uint8Array(size), expected: null }) as const;

describe('what clients can fill', () => {
  test("is bounded for each client, and one's share leaves the others theirs", () => {
    const { ask, open } = asked();
    const [one, two] = [open(70_000), open(70_001)];
    let bytes = 0;
    for (let i = 0; ; i++) {
      const result = ask(70_000, write(one, `file ${i}`, maxContentBytes));
      if (result.kind === 'refused') break;
      bytes += maxContentBytes;
      expect(bytes).toBeLessThanOrEqual(maxBytesPerClient);
    }
    expect(bytes).toBeGreaterThan(0.9 * maxBytesPerClient);
    expect(ask(70_001, write(two, 'mine', maxContentBytes)).kind).toBe('written');
    // What is taken away makes room again, and the same size in its place needs none.
    expect(ask(70_000, write(one, 'file 0', maxContentBytes)).kind).toBe('written');
    ask(70_000, { kind: 'remove', session: one, name: 'file 1', expected: null });
    expect(ask(70_000, write(one, 'another', maxContentBytes - 9)).kind).toBe('written');
  });

  test('of names and of sessions, of one client or of all, what is above is refused', () => {
    const { ask, open, machine } = asked();
    const one = open(70_000);
    const watch = (i: number) =>
      ask(70_000, { kind: 'watch', session: one, name: `name ${i}`, on: true }).kind;
    for (let i = 0; i < maxNamesPerSession; i++) expect(watch(i)).toBe('watched');
    expect(watch(maxNamesPerSession)).toBe('refused');
    expect(watch(0)).toBe('watched');
    for (let i = 1; i < maxSessionsPerClient; i++) open(70_000);
    expect(ask(70_000, { kind: 'open' })).toEqual({ kind: 'refused', why: 'full' });
    for (let client = 80_000, i = maxSessionsPerClient; i < maxSessions; i++)
      open(client + Math.floor(i / maxSessionsPerClient));
    expect(ask(90_000, { kind: 'open' })).toEqual({ kind: 'refused', why: 'full' });
    // And the fullest state is one that can be kept and restored.
    lockService({ keepers: [0] }).restore(machine.snapshot());
  });

  test('the names of sessions that vanish again and again do not pile up', () => {
    const { ask, pass, open, machine } = asked();
    for (let round = 0; round < 3; round++) {
      const sessions = [1, 2, 3].map(() => open(70_000));
      for (const session of sessions)
        for (let i = 0; i < maxNamesPerSession; i++)
          ask(70_000, {
            kind: 'acquire',
            session,
            name: `${round} ${session} ${i}`,
            mode: 'exclusive',
            wait: true,
            delay: 60_000_000,
          });
      pass(13_000);
    }
    pass(61_000);
    expect(machine.snapshot().length).toBeLessThan(200);
  });
});

test('options that cannot work are refused in words', () => {
  expect(() => lockService({ keepers: [] })).toThrow(/name the members/);
  expect(() => lockService({ keepers: [0, 1], faulty: 2 })).toThrow(/faulty is 2/);
  expect(() => lockService({ keepers: [0], lease: 4000 })).toThrow(/lease of more than 4000/);
  expect(() => lockService({ keepers: [0], maxDelay: 0.5 })).toThrow(/maxDelay is 0.5/);
});
