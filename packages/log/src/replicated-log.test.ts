import { type Answer, type Applied, bytes, type Submit } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { group } from '../test/group.ts';
import {
  AbortedError,
  DeadlineError,
  LaggingReaderError,
  LogFullError,
  NotAReplicaError,
  OperationError,
  StoppedError,
} from './errors.ts';
import {
  type KeyValueOperation,
  keyValueOperation,
  keyValueResult,
  kv,
} from './key-value-store.ts';
import type { LogOutput, LogPort } from './log-port.ts';
import { type LogOptions, replicatedLog } from './replicated-log.ts';

const codec = { command: keyValueOperation, result: keyValueResult, query: keyValueOperation };
const put = (key: string): KeyValueOperation => ({
  kind: 'put',
  key: new TextEncoder().encode(key),
  value: new Uint8Array([1]),
});

/** A host whose every answer and every applied request the test gives by hand. */
function byHand(options: Partial<LogOptions<KeyValueOperation, unknown, KeyValueOperation>> = {}) {
  const sent: (Submit | { type: 'cancel'; id: number })[] = [];
  let say: (output: LogOutput) => void = () => undefined;
  const host: LogPort = {
    send: (event) => void sent.push(event),
    listen(listener) {
      say = listener;
      return () => void (say = () => undefined);
    },
    status: () => ({ leader: 0, term: 1, role: 'follower' }),
    stop: async () => undefined,
  };
  const log = replicatedLog({ host, codec, ...options });
  const stored = kv.put('', ''); // Any bytes do: results are decoded only by tests that look.
  const output = (part: Partial<LogOutput>) =>
    say({ applied: [], answers: [], writes: [], ...part });
  return {
    log,
    sent,
    answer: (...answers: Answer[]) => output({ answers }),
    result: (id: number) => output({ answers: [{ id, result: new Uint8Array([1]) }] }),
    apply: (...slots: number[]) =>
      output({
        applied: slots.map((slot): Applied => {
          const rest = { client: 7, sequence: slot, operations: [stored], results: [] };
          return { slot, ...rest, fresh: true, state: 0 };
        }),
      }),
    install: (slot: number) =>
      output({
        writes: [
          { type: 'save', registers: { serviceSnapshot: { slot, origin: 'installed' } } } as never,
        ],
      }),
  };
}

describe('a replicated log', () => {
  test('proposes, reads and lists entries on a real group', async () => {
    const g = group();
    const listeners = new Set<(output: LogOutput) => void>();
    const seen = g.world.outputs.get(1) ?? [];
    const host: LogPort = {
      send: (event) => g.world.tell(1, event),
      listen(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      status: () => g.world.machine(1).status(),
      stop: async () => g.world.crash(1),
    };
    const log = replicatedLog({ host, codec });
    const turn = () => {
      const from = seen.length;
      g.world.run(1e6);
      for (const output of seen.slice(from)) for (const each of listeners) each(output);
    };
    const proposed = log.propose(put('a'));
    turn();
    expect(await proposed).toEqual({ kind: 'stored' });
    const read = log.read({ kind: 'get', key: new TextEncoder().encode('a') });
    turn();
    expect(await read).toMatchObject({ kind: 'value', value: new Uint8Array([1]) });
    for await (const entry of log.entries()) {
      expect(entry).toMatchObject({ slot: 0, client: 1, command: { kind: 'put' } });
      break;
    }
    expect(log.status()).toMatchObject({ leader: 0, applied: 0 });
    await log.stop();
  });

  test('lets only so many be under way and sends the next one when one is done', async () => {
    const { log, sent, result } = byHand({ maxOutstanding: 2 });
    const all = [put('a'), put('b'), put('c')].map((each) => log.propose(each));
    await Promise.resolve();
    expect(sent).toHaveLength(2);
    result(0);
    expect(sent).toHaveLength(3);
    result(1);
    result(2);
    expect(await Promise.all(all)).toHaveLength(3);
  });

  test('stops waiting when a signal fires, and says whether the operation may run', async () => {
    const { log, sent, result } = byHand({ maxOutstanding: 1 });
    const first = new AbortController();
    const second = new AbortController();
    const one = log.propose(put('a'), { signal: first.signal });
    const two = log.propose(put('b'), { signal: second.signal });
    await Promise.resolve();
    second.abort('no longer needed');
    await expect(two).rejects.toThrow(/was not sent and will not run/);
    first.abort();
    await expect(one).rejects.toThrow(/may have run/);
    await expect(one).rejects.toBeInstanceOf(AbortedError);
    await expect(two).rejects.toMatchObject({ name: 'AbortError', cause: 'no longer needed' });
    expect(sent.map((each) => each.type)).toEqual(['submit', 'cancel']);
    result(0);
    await expect(log.propose(put('c'), { signal: first.signal })).rejects.toThrow(
      /nothing was sent/,
    );
  });

  test('rejects with the reason its client gives', async () => {
    const { log, answer } = byHand();
    const one = log.propose(put('a'));
    await Promise.resolve();
    answer({ id: 0, error: 'too many wait; submit it again later' });
    await expect(one).rejects.toThrow(OperationError);
  });

  test('gives the client the time of its caller and rejects what is late', async () => {
    const { log, sent, answer } = byHand();
    const one = log.propose(put('a'), { withinMilliseconds: 250 });
    await Promise.resolve();
    expect(sent).toMatchObject([{ type: 'submit', id: 0, within: 250_000 }]);
    answer({ id: 0, error: 'nobody answered', expired: true });
    await expect(one).rejects.toThrow(DeadlineError);
  });

  test('rejects with a name of its own what found no slot in a log with an end', async () => {
    const { log, answer } = byHand();
    const one = log.propose(put('a'));
    await Promise.resolve();
    answer({ id: 0, error: 'the log is full', refused: 'log-full' });
    await expect(one).rejects.toThrow(LogFullError);
  });

  test('rejects what is under way when it is stopped', async () => {
    const { log } = byHand();
    const one = log.propose(put('a'));
    const reader = (async () => {
      const slots: number[] = [];
      for await (const { slot } of log.entries()) slots.push(slot);
      return slots;
    })();
    await Promise.resolve();
    await log.stop();
    await expect(one).rejects.toThrow(StoppedError);
    await expect(log.propose(put('b'))).rejects.toThrow(/open it again/);
    expect(await reader).toEqual([]);
  });
});

describe('entries', () => {
  test('come from a slot on, and then as they are applied', async () => {
    const { log, apply } = byHand();
    apply(0, 1, 2);
    const reader = log.entries(1)[Symbol.asyncIterator]();
    expect((await reader.next()).value?.slot).toBe(1);
    expect((await reader.next()).value?.slot).toBe(2);
    const next = reader.next();
    apply(3);
    expect((await next).value?.slot).toBe(3);
  });

  test('that were dropped are named to the reader who is too slow', async () => {
    const { log, apply } = byHand({ keep: 10 });
    apply(0);
    const reader = log.entries(0)[Symbol.asyncIterator]();
    await reader.next();
    for (let slot = 1; slot < 50; slot++) apply(slot);
    const error = await reader.next().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(LaggingReaderError);
    const { available } = error as LaggingReaderError;
    expect(available).toBeGreaterThan(1);
    const again = log.entries(available)[Symbol.asyncIterator]();
    expect((await again.next()).value?.slot).toBe(available);
    await expect(log.entries(0)[Symbol.asyncIterator]().next()).rejects.toThrow(/no longer kept/);
  });

  test('that came as a snapshot are missing, and are said to be', async () => {
    const { log, apply, install } = byHand();
    apply(0);
    const reader = log.entries()[Symbol.asyncIterator]();
    await reader.next();
    const next = reader.next();
    install(90);
    apply(91);
    await expect(next).rejects.toMatchObject({ available: 91 });
    expect((await log.entries(91)[Symbol.asyncIterator]().next()).value?.slot).toBe(91);
    expect(log.status().applied).toBe(91);
  });

  test('end for a reader whose signal fires', async () => {
    const { log } = byHand();
    const stop = new AbortController();
    const next = log.entries(0, { signal: stop.signal })[Symbol.asyncIterator]().next();
    await Promise.resolve();
    stop.abort();
    await expect(next).rejects.toThrow(AbortedError);
  });

  test('are not for clients', () => {
    const { log } = byHand({
      host: {
        send: () => undefined,
        listen: () => () => undefined,
        status: () => ({ term: 0, role: 'client' }),
        stop: async () => undefined,
      },
      codec: { ...codec, result: bytes(9) },
    });
    expect(() => log.entries()).toThrow(NotAReplicaError);
  });
});
