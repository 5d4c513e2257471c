/** Operations under way: in which order they go, how each of them ends, and what is left then. */
import { type Answer, ms } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { caller } from './calls.ts';
import type { LogPort } from './log-port.ts';

type Asked = Parameters<LogPort['send']>[0];

const operation = new Uint8Array([1]);
const wish = { operation, readOnly: false };

/** A caller whose host the test plays. */
function calling(limit: number) {
  const sent: Asked[] = [];
  const host = { send: (event: Asked) => void sent.push(event) } as unknown as LogPort;
  const { call, settle, stop } = caller(host, limit);
  return {
    settle,
    stop,
    sent,
    /** What was sent since this was last asked. */
    said: () => sent.splice(0).map((each) => `${each.type} ${each.id}`),
    /** Calls, and keeps how it ends. */
    call(waiting: Parameters<typeof call>[1] = {}) {
      const ends: unknown[] = [];
      call(wish, waiting).then(
        (result) => void ends.push(result),
        (error: unknown) => void ends.push(error),
      );
      return ends;
    },
    result: (id: number): Answer => ({ id, result: new Uint8Array([id & 255]) }),
  };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('operations', () => {
  test('go in the order of their calls, so many at a time, each with its own result', async () => {
    const { call, said, settle, result } = calling(2);
    const ends = [0, 1, 2, 3].map(() => call());
    expect(said()).toEqual(['submit 0', 'submit 1']);
    settle([]);
    expect(said()).toEqual([]);
    settle([result(1), result(77)]);
    expect(said()).toEqual(['submit 2']);
    settle([result(1)]);
    expect(said()).toEqual([]);
    settle([result(2), result(0)]);
    expect(said()).toEqual(['submit 3']);
    await settled();
    expect(ends).toEqual([[new Uint8Array([0])], [new Uint8Array([1])], [new Uint8Array([2])], []]);
  });

  test('go on in that order however many there were', () => {
    const { call, said, settle, result } = calling(1);
    const count = 2_500;
    for (let i = 0; i < count; i++) call();
    const order = said();
    for (let id = 0; id < count; id++) {
      settle([result(id)]);
      order.push(...said());
    }
    expect(order).toEqual(Array.from({ length: count }, (_, id) => `submit ${id}`));
  });

  test('are given the time of their caller, and for ever where there is none', () => {
    const { call, sent } = calling(3);
    call({ withinMilliseconds: 20 });
    call();
    expect(sent).toEqual([
      { type: 'submit', id: 0, ...wish, within: ms(20) },
      { type: 'submit', id: 1, ...wish },
    ]);
  });

  test('are rejected with the name of the reason', async () => {
    const { call, settle } = calling(10);
    const reasons = [
      [{ expired: true }, 'DeadlineError'],
      [{ refused: 'log-full' }, 'LogFullError'],
      [{ refused: 'state-too-large' }, 'StateTooLargeError'],
      [{ refused: 'sequence-reused' }, 'SequenceReusedError'],
      [{ forgotten: 'too-old' }, 'RequestTooOldError'],
      [{ forgotten: 'session-expired' }, 'SessionExpiredError'],
      [{ refused: 'session-taken' }, 'OperationError'],
      [{}, 'OperationError'],
    ] as const;
    const ends = reasons.map(() => call());
    settle(reasons.map(([why], id) => ({ id, error: `reason ${id}`, ...why }) as Answer));
    await settled();
    for (const [i, [, name]] of reasons.entries())
      expect(ends[i]).toMatchObject([{ name, message: `reason ${i}` }]);
  });
});

describe('a signal', () => {
  const aborted = (message: RegExp) => [
    { name: 'AbortError', cause: 'enough', message: expect.stringMatching(message) },
  ];

  test('that had fired before sends nothing', async () => {
    const { call, said } = calling(1);
    const ends = call({ signal: AbortSignal.abort('enough') });
    expect(said()).toEqual([]);
    await settled();
    expect(ends).toMatchObject(aborted(/nothing was sent/));
  });

  test('ends what was sent, which may run all the same, and makes room for the next', async () => {
    const { call, said, settle, result } = calling(1);
    const stopping = new AbortController();
    const first = call({ signal: stopping.signal });
    const second = call();
    expect(said()).toEqual(['submit 0']);
    stopping.abort('enough');
    expect(said()).toEqual(['cancel 0', 'submit 1']);
    settle([result(0), result(1)]);
    await settled();
    expect(first).toMatchObject(aborted(/may have run or may still run/));
    expect(second).toEqual([new Uint8Array([1])]);
  });

  test('ends what was not sent, which then never is', async () => {
    const { call, said, settle, result } = calling(1);
    const stopping = new AbortController();
    call();
    const waiting = call({ signal: stopping.signal });
    const last = call();
    said();
    stopping.abort('enough');
    expect(said()).toEqual([]);
    settle([result(0)]);
    expect(said()).toEqual(['submit 2']);
    await settled();
    expect(waiting).toMatchObject(aborted(/it was not sent and will not run/));
    expect(last).toEqual([]);
  });

  test('is listened to no longer than the operation is under way', async () => {
    const { call, said, settle, result, stop } = calling(2);
    const stopping = new AbortController();
    const listening = new Set<unknown>();
    const signal = {
      get aborted() {
        return stopping.signal.aborted;
      },
      reason: 'enough',
      addEventListener: (_: string, listener: unknown) => void listening.add(listener),
      removeEventListener: (_: string, listener: unknown) => void listening.delete(listener),
    } as unknown as AbortSignal;
    call({ signal });
    call({ signal });
    expect(listening.size).toBe(2);
    said();
    settle([result(0)]);
    expect(listening.size).toBe(1);
    stop();
    expect(listening.size).toBe(0);
    await settled();
  });
});

test('a stop ends what is under way, says what may have run, and takes nothing more', async () => {
  const { call, said, stop } = calling(1);
  const [first, second] = [call(), call()];
  said();
  stop();
  await settled();
  const stopped = (message: RegExp) => [
    { name: 'StoppedError', message: expect.stringMatching(message) },
  ];
  expect(first).toMatchObject(stopped(/stopped; it was sent, so it may have run/));
  expect(second).toMatchObject(stopped(/stopped; it was not sent and will not run/));
  const late = call();
  await settled();
  expect(late).toMatchObject(stopped(/open it again/));
  expect(said()).toEqual([]);
});
