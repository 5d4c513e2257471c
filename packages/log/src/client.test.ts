/** Whom a client asks, when it asks again, and what it believes. */
import { firstClient, maxOperationBytes, type Request } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { living } from '../test/living.ts';
import { client } from './client.ts';
import { hashOf } from './hash.ts';
import { maxOutstanding, type Query, type ServiceMessage } from './messages.ts';

type Client = ReturnType<typeof living>;
type Output = ReturnType<Client['step']>;

const byte = (value: number): Uint8Array => Uint8Array.of(value);
const submit = (
  id: number,
  more: {
    readonly operation?: Uint8Array;
    readonly readOnly?: boolean;
    readonly local?: boolean;
    readonly within?: number;
    readonly configuration?: true;
  } = {},
) => ({ type: 'submit', id, operation: byte(id & 255), readOnly: false, ...more }) as const;
const timeout = { type: 'timeout', timer: 'service/client' } as const;

const asked = ({ sends }: Output) => sends.map(({ to }) => to);
const said = ({ sends }: Output) => sends.map(({ message }) => message as Request);
const only = (output: Output): Request => {
  expect(output.sends).toHaveLength(1);
  return said(output)[0] as Request;
};
const onlyQuery = (output: Output): Query => only(output) as unknown as Query;
const when = ({ timers }: Output) => timers.map((each) => 'after' in each && each.after);

const replyTo = (request: Request, ...results: readonly Uint8Array[]) =>
  ({
    kind: 'reply',
    client: request.client,
    sequence: request.sequence,
    hash: hashOf(request),
    leader: null,
    term: 1,
    results,
  }) as const;

/** A client that hears messages at a time. */
function listening(matching = 1, options = {}) {
  const one = living(undefined, options, matching);
  const hear = (message: ServiceMessage, from = 0, now = 0) =>
    one.step(
      { type: 'message', message: { ...message, from, signature: new Uint8Array() as never } },
      now,
    );
  return { ...one, hear };
}

describe('a client', () => {
  test('asks one, then that one and the next, and the longer the less often', () => {
    const { step } = listening();
    const first = step(submit(1));
    expect([asked(first), when(first)]).toEqual([[0], [[500_000, 625_000]]]);
    expect(step(timeout, 499_999).sends).toEqual([]);
    let now = 0;
    const rounds = [500_000, 1_000_000, 2_000_000, 2_000_000].map((wait) => {
      now += wait;
      const output = step(timeout, now);
      for (const each of said(output)) expect(each).toBe(only(first));
      return [asked(output), when(output)];
    });
    expect(rounds).toEqual([
      [[1, 0], [[1_000_000, 1_250_000]]],
      [[2, 1], [[2_000_000, 2_500_000]]],
      [[3, 2], [[2_000_000, 2_500_000]]],
      [[0, 3], [[2_000_000, 2_500_000]]],
    ]);
  });

  test('goes to whom a reply names, or stays with the one that it asks where nobody leads', () => {
    for (const [stays, next] of [
      [false, 2],
      [true, 1],
    ] as const) {
      const policy = { matching: 1, ask: 'any', stays, signed: false } as const;
      const machine = client(policy, [0, 1, 2], firstClient, { leader: 1 });
      const step = (event: Parameters<typeof machine.step>[0]['event']) =>
        machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
      const [first] = step(submit(1)).sends;
      const named = { ...replyTo(first?.message as Request, byte(1)), leader: 2 };
      // Replica 2 was the first to execute it, and answers too.
      const signature = new Uint8Array() as never;
      step({ type: 'message', message: { ...named, from: 2, signature } });
      expect(step(submit(2)).sends.map(({ to }) => to)).toEqual([next]);
    }
  });

  test('asks all where several have to answer', () => {
    const { step } = listening(2);
    expect(asked(step(submit(1)))).toEqual([0]);
    expect(asked(step(timeout, 500_000))).toEqual(['all']);
    expect(asked(step(timeout, 1_500_000))).toEqual(['all']);
  });

  test('believes as many equal answers as it must, each replica once', () => {
    const { step, hear } = listening(2);
    const request = only(step(submit(1)));
    const [good, bad] = [replyTo(request, byte(1)), replyTo(request, byte(2))];
    expect(hear(good, 0).answers).toEqual([]);
    expect(hear(good, 0).answers).toEqual([]);
    expect(hear(bad, 1).answers).toEqual([]);
    // Strangers, other clients' answers, and answers to others, count for nothing.
    for (const [message, from] of [
      [good, 4],
      [good, firstClient],
      [{ ...good, client: firstClient + 1 }, 2],
      [{ ...good, hash: good.hash ^ 1 }, 2],
      [{ ...good, sequence: good.sequence + 1 }, 2],
      [replyTo(request, byte(1), byte(1)), 2],
    ] as const)
      expect(hear(message, from).answers).toEqual([]);
    // Who says another thing later has said the last.
    expect(hear(bad, 0).answers).toEqual([{ id: 1, result: byte(2) }]);
    expect(hear(bad, 2).answers).toEqual([]);
  });

  test('takes a leader for one only if as many say so', () => {
    const { step, hear, machine } = listening(2);
    const request = only(step(submit(1)));
    const good = replyTo(request, byte(1));
    hear({ ...good, leader: 3, term: 9 }, 3);
    hear({ ...good, leader: 2, term: 5 }, 1);
    expect(machine.status()).toMatchObject({ leader: 0, term: 0 });
    const next = only(step(submit(2)));
    hear({ ...replyTo(next, byte(1)), leader: 2, term: 5 }, 0);
    hear({ ...replyTo(next, byte(1)), leader: 2, term: 5 }, 1);
    expect(machine.status()).toMatchObject({ leader: 2, term: 5 });
    expect(asked(step(submit(3)))).toEqual([2]);
  });

  test('goes where it is sent, but not in circles and not to strangers', () => {
    const { step, hear } = listening();
    const { sequence } = only(step(submit(1)));
    const go = (from: number, leader: number | null, term = 1, now = 10) =>
      hear({ kind: 'redirect', about: 'request', sequence, leader, term }, from, now);
    // Nobody was asked but 0, and nobody leads.
    expect(asked(go(1, 2))).toEqual([]);
    const nobody = go(0, null);
    expect([asked(nobody), when(nobody)]).toEqual([[], [[125_000, 156_250]]]);
    expect(asked(go(0, 0))).toEqual([]);
    expect(asked(go(0, 9))).toEqual([]);
    expect(asked(go(0, 2, 7))).toEqual([2]);
    // What is older than what it knows does not count.
    expect(asked(go(2, 1, 6))).toEqual([]);
    expect([asked(go(2, 1, 7)), asked(go(1, 2, 7)), asked(go(2, 1, 7))]).toEqual([[1], [2], [1]]);
    expect(asked(go(1, 2, 7))).toEqual([]);
    const { hear: all, step: other } = listening(2);
    const request = only(other(submit(1)));
    const redirect = { kind: 'redirect', about: 'request', leader: 2, term: 1 } as const;
    expect(asked(all({ ...redirect, sequence: request.sequence }, 0))).toEqual([]);
  });

  test('is as soon back at all others where nobody leads, whoever of them is down', () => {
    const { step, hear } = listening();
    const { sequence } = only(step(submit(1)));
    const nobody = (from: number, now: number) =>
      hear(
        { kind: 'redirect', about: 'request', sequence, leader: null, term: 0 } as const,
        from,
        now,
      );
    nobody(0, 10);
    expect(asked(step(timeout, 125_010))).toEqual([1, 0]);
    // 1 is down, and says nothing; 0 does, and that is reason enough.
    expect(when(nobody(0, 125_020))).toEqual([[125_000, 156_250]]);
    const next = step(timeout, 250_020);
    expect(asked(next)).toEqual([2, 1]);
    // Nobody answers now, and this is the first silence: the patience has not grown.
    expect(when(next)).toEqual([[500_000, 625_000]]);
    expect(when(step(timeout, 750_020))).toEqual([[1_000_000, 1_250_000]]);
    // Who was asked beside it knows a leader by now.
    expect(
      asked(hear({ kind: 'redirect', about: 'request', sequence, leader: 0, term: 1 }, 2, 750_030)),
    ).toEqual([0]);
  });

  test('says of each operation what it gave, or that it ran and there was no room for that', () => {
    const { step, hear } = listening(1, { window: 1 });
    const first = only(step(submit(0)));
    for (const id of [1, 2, 3]) expect(step(submit(id)).sends).toEqual([]);
    step({ type: 'cancel', id: 2 });
    const next = hear(replyTo(first, byte(9)));
    expect(next.answers).toEqual([{ id: 0, result: byte(9) }]);
    const shared = only(next);
    expect(shared.operations).toEqual([byte(1), byte(3)]);
    step(submit(4));
    step({ type: 'cancel', id: 3 });
    const last = hear(replyTo(shared, byte(7)));
    expect(last.answers).toEqual([{ id: 1, result: byte(7) }]);
    expect(hear(replyTo(only(last))).answers).toEqual([
      { id: 4, error: expect.stringContaining('did not fit') },
    ]);
  });

  test('lets what nobody waits for make room, and never takes back what may have run', () => {
    const { step } = listening(1, { window: 1 });
    const first = only(step(submit(1)));
    step(submit(2));
    const next = only(step({ type: 'cancel', id: 1 }));
    expect(next.sequence).toBe(first.sequence + 1);
    expect(step({ type: 'cancel', id: 1 }).sends).toEqual([]);
    expect(asked(step(timeout, 500_000))).toHaveLength(2);
  });

  test('puts into one request what fits, and a change of the group alone', () => {
    const group = (count: number, more: (id: number) => object) => {
      const { step, hear } = listening(1, { window: 1 });
      const first = only(step(submit(0)));
      for (let id = 1; id <= count; id++) step(submit(id, more(id)));
      const sizes: number[] = [];
      for (let open = hear(replyTo(first, byte(0))); open.sends.length > 0; ) {
        const request = only(open);
        sizes.push(request.configuration ? -1 : request.operations.length);
        open = hear(
          replyTo(
            request,
            ...request.operations.map(() => byte(0)),
            ...(request.configuration ? [byte(0)] : []),
          ),
        );
      }
      return sizes;
    };
    expect(group(300, () => ({}))).toEqual([256, 44]);
    const large = new Uint8Array(maxOperationBytes);
    expect(group(6, () => ({ operation: large }))).toEqual([4, 2]);
    expect(group(5, (id) => (id === 3 ? { configuration: true } : {}))).toEqual([2, -1, 2]);
  });

  test('says in each request what it waits for, and gets no further ahead than it may', () => {
    const { step, hear } = listening(1, { window: maxOutstanding + 5 });
    const requests = Array.from({ length: maxOutstanding + 3 }, (_, id) => step(submit(id)));
    const sent = requests.flatMap(said);
    expect(sent).toHaveLength(maxOutstanding);
    const [first, second] = sent as [Request, Request];
    expect(new Set(sent.map(({ acknowledged }) => acknowledged))).toEqual(
      new Set([first.sequence]),
    );
    expect(hear(replyTo(second, byte(0))).sends).toEqual([]);
    const next = only(hear(replyTo(first, byte(0))));
    expect(next.acknowledged).toBe(first.sequence + 2);
    expect(next.operations).toHaveLength(3);
  });

  test('refuses what is too large, too much, or under way already', () => {
    const { step } = listening(1, { maxWaiting: 2 });
    const error = (output: Output) => output.answers.map((each) => each.error);
    const size = (length: number) => ({ operation: new Uint8Array(length) });
    expect(error(step(submit(1, size(maxOperationBytes + 1))))).toEqual([
      expect.stringContaining('split it'),
    ]);
    expect(error(step(submit(1, size(maxOperationBytes))))).toEqual([]);
    expect(error(step(submit(1)))).toEqual([expect.stringContaining('use another id')]);
    expect(error(step(submit(2)))).toEqual([]);
    expect(error(step(submit(3)))).toEqual([expect.stringContaining('submit it again later')]);
    const big = listening();
    for (const [length, fits] of [
      [0, false],
      [1, true],
      [4096, true],
      [4097, false],
    ] as const)
      expect(error(big.step(submit(length, { ...size(length), configuration: true }))).length).toBe(
        fits ? 0 : 1,
      );
  });

  test('gives up when the time that it was given is over, and no earlier', () => {
    const { step, hear } = listening();
    const first = step(submit(1, { within: 300_000 }), 1000);
    // An exact timer: it is not spread as that of repeating is.
    expect(when(first).at(-1)).toBe(300_000);
    expect(step(timeout, 300_999).answers).toEqual([]);
    const late = step(timeout, 301_000);
    expect(late.answers).toMatchObject([{ id: 1, expired: true }]);
    expect(hear(replyTo(only(first), byte(1))).answers).toEqual([]);
    // It is heard of no more, and the others are not disturbed.
    expect(step(timeout, 900_000).sends).toEqual([]);
  });

  test('forks into one that goes on alike and apart', () => {
    const { step, machine } = listening(2, { window: 2 });
    for (const id of [1, 2, 3]) step(submit(id, id === 3 ? { within: 100 } : {}));
    const other = machine.fork();
    const before = machine.snapshot();
    expect(other.snapshot()).toEqual(before);
    const clock = { earliest: 0, latest: 0 };
    const events = [{ type: 'cancel', id: 3 }, timeout, submit(9)] as const;
    const theirs = events.map((event) => other.step({ now: 1e6, clock, event }));
    expect(machine.snapshot()).toEqual(before);
    expect(events.map((event) => step(event, 1e6))).toEqual(theirs);
  });
});

describe('a query', () => {
  const read = (id: number, local = false) => submit(id, { readOnly: true, local });
  const answer = ({ sequence }: Query, ...results: readonly Uint8Array[]) =>
    ({ kind: 'query-reply', sequence, results }) as const;

  test('goes beside the log, local ones apart, and whoever answers is believed', () => {
    const { step, hear } = listening(1, { window: 1 });
    const first = onlyQuery(step(read(1)));
    expect(first).toMatchObject({ kind: 'query', consistency: 'linearizable' });
    expect(said(step(submit(2)))).toMatchObject([{ kind: 'request' }]);
    for (const [id, local] of [
      [3, true],
      [4, true],
      [5, false],
    ] as const)
      step(read(id, local));
    expect(hear(answer(first, byte(1), byte(2))).answers).toEqual([]);
    const next = hear(answer(first, byte(1)));
    expect(next.answers).toEqual([{ id: 1, result: byte(1) }]);
    const local = onlyQuery(next);
    expect([local.consistency, local.operations.length]).toEqual(['local', 2]);
    const last = hear(answer(local, byte(1), byte(2)));
    expect(last.answers).toHaveLength(2);
    expect(onlyQuery(last).consistency).toBe('linearizable');
  });

  test('goes through the log from then on where the group cannot read otherwise', () => {
    const { step, hear } = listening(1, { window: 1 });
    const first = only(step(read(1)));
    step(read(2));
    const { sequence } = first;
    const ordered = only(hear({ kind: 'query-reply', sequence, results: null }));
    expect(ordered).toMatchObject({ kind: 'request', operations: [byte(1), byte(2)] });
    expect(step(read(3)).sends).toEqual([]);
    const after = hear(replyTo(ordered, byte(1), byte(2)));
    expect(after.answers).toHaveLength(2);
    expect(only(after)).toMatchObject({ kind: 'request', operations: [byte(3)] });
  });

  test('is ordered where several have to answer, and one replica’s answer is none', () => {
    const { step, hear } = listening(2);
    expect(only(step(read(1))).kind).toBe('request');
    const unsafe = listening(2, { orderReads: false });
    const query = onlyQuery(unsafe.step(read(1)));
    expect(unsafe.hear(answer(query, byte(1))).answers).toEqual([]);
    expect(hear(answer(query, byte(1))).answers).toEqual([]);
  });

  test('is sent on to the leader by whoever is not', () => {
    const { step, hear } = listening();
    const { sequence } = only(step(read(1)));
    const redirect = { kind: 'redirect', sequence, leader: 2, term: 1 } as const;
    expect(asked(hear({ ...redirect, about: 'request' }))).toEqual([]);
    expect(asked(hear({ ...redirect, about: 'query' }))).toEqual([2]);
  });
});

test('only an answer to something under way is worth checking', () => {
  const { step, machine } = listening();
  const { machine: idle } = listening();
  const request = only(step(submit(1)));
  const query = onlyQuery(step(submit(2, { readOnly: true })));
  const worth = (message: ServiceMessage, from = 0) =>
    machine.admits?.({ ...message, from, signature: new Uint8Array() as never }, 0);
  const { sequence } = request;
  const refusal = { kind: 'refusal', sequence, hash: 0, reason: 'too-old', next: 0 } as const;
  const redirect = { kind: 'redirect', about: 'request', sequence, leader: 1, term: 1 } as const;
  const queried = { kind: 'query-reply', sequence: query.sequence, results: [] } as const;
  for (const each of [replyTo(request), refusal, redirect, queried] as ServiceMessage[]) {
    expect(worth(each)).toBe(true);
    expect(machine.expects?.(each.kind, 0)).toBe(true);
    expect(machine.expects?.(each.kind, 4)).toBe(false);
    expect(idle.expects?.(each.kind, 0)).toBe(false);
    expect(worth(each, 4)).toBe(false);
    expect(worth({ ...each, sequence: sequence + 9 } as ServiceMessage)).toBe(false);
  }
  expect(worth({ ...redirect, about: 'query', sequence: query.sequence })).toBe(true);
  expect(worth({ ...replyTo(request), client: firstClient + 1 })).toBe(false);
  expect(worth(query)).toBe(false);
  expect(machine.expects?.('query', 0)).toBe(false);
});
