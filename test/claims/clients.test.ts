/** What clients of every protocol do for whoever uses them (architecture 11.1). */
import { type Answer, firstClient, ms, type Request, range } from '@quorumlab/core';
import {
  type AnyShape,
  completeScenario,
  prepare,
  protocols,
  runScenario,
} from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { type Fault, type ScheduledInput, simulate } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';

/** When a group has a leader for sure. */
const settled = ms(2000);
const operation = kv.append('log', 'x');

/** What a client asks, of whom first, and what goes wrong. Seat `n` is the client's. */
interface Plan {
  readonly protocol: string;
  readonly inputs: readonly Omit<ScheduledInput<AnyShape>, 'seat'>[];
  readonly faults?: (n: number) => readonly Fault[];
  readonly first?: number;
  readonly until?: number;
}

interface Seen {
  readonly answers: readonly (Answer & { readonly at: number })[];
  /** The requests that the client said, each time it said one. */
  readonly asked: readonly Request[];
  /** How often the operation ran, by replica. */
  readonly ran: readonly number[];
  readonly redirects: number;
}

/** One client beside an honest group of the smallest size for f = 1. */
function watch({ protocol: name, inputs, faults, first = 0, until = ms(8000) }: Plan): Seen {
  const scenario = completeScenario({ protocol: name, clients: 1, until, seed: '1' });
  const prepared = prepare(scenario);
  const { protocol, firstClientSeat: seat } = prepared;
  const answers: (Answer & { readonly at: number })[] = [];
  const asked: Request[] = [];
  const ran = range(scenario.n).map(() => 0);
  let redirects = 0;
  const waiting = [...inputs];
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: prepared.group.evidence,
    seats: prepared.seats.map((each, i) => {
      const make = () => prepared.group.client(firstClient, { leader: first });
      return i === seat ? { ...each, make } : each;
    }),
    members: protocol.members,
    network: prepared.network,
    faults: faults?.(scenario.n) ?? [],
    seed: scenario.seed,
    limits: { until },
    inputs: {
      next() {
        const input = waiting.shift();
        return input && { ...input, seat };
      },
      answered: (at, _seat, answer) => void answers.push({ ...answer, at }),
    },
    watcher: {
      stepped(_at, from, output) {
        for (const { message } of output.sends) {
          if (message.kind === 'redirect') redirects++;
          // The kind says which message it is.
          if (from === seat && message.kind === 'request') asked.push(message as Request);
        }
        for (const { fresh } of output.applied) if (fresh && from < scenario.n) ran[from]! += 1;
      },
    },
  });
  simulation.runUntil(until);
  return { answers, asked, ran, redirects };
}

const submit = (at: number, id: number, within?: number): Plan['inputs'][number] => ({
  at,
  event: {
    type: 'submit',
    id,
    operation,
    readOnly: false,
    ...(within === undefined ? {} : { within }),
  },
});

for (const { name: protocol, create, claims } of protocols) {
  const n = claims.replicas(1);
  const { client: policy } = create({ n, f: 1 });
  const replies = ['reply'];

  describe(`a client of ${protocol}`, () => {
    test('finds who takes requests, whomever it asks first', () => {
      let redirects = 0;
      for (const first of range(n)) {
        const seen = watch({ protocol, first, inputs: [submit(settled, 7)] });
        expect(seen.answers).toMatchObject([{ id: 7, result: expect.anything() }]);
        redirects += seen.redirects;
      }
      expect(redirects > 0).toBe(policy.ask === 'leader' && !policy.forwards);
    });

    test('asks others when the one it asked is gone', () => {
      const faults = (): Fault[] => [{ type: 'crash', at: settled, seat: 0 }];
      const { answers } = watch({ protocol, faults, inputs: [submit(settled + ms(1), 7)] });
      expect(answers).toMatchObject([{ id: 7, result: expect.anything() }]);
    });

    test('repeats a request under its sequence, and it runs once', () => {
      const faults = (n: number): Fault[] => [
        { type: 'cut', at: 0, from: range(n), to: [n], kinds: replies },
        { type: 'heal', at: settled + ms(2500) },
      ];
      const { answers, asked, ran } = watch({ protocol, faults, inputs: [submit(settled, 7)] });
      expect(answers).toMatchObject([{ id: 7, result: expect.anything() }]);
      expect(asked.length).toBeGreaterThan(1);
      expect(new Set(asked).size).toBe(1);
      expect(ran).toEqual(range(n).map(() => 1));
    });

    test('gives an operation up at its deadline, says so, and goes on', () => {
      const faults = (n: number): Fault[] => [
        { type: 'cut', at: 0, from: [n], to: range(n) },
        { type: 'heal', at: settled + ms(1000) },
      ];
      const inputs = [submit(settled, 7, ms(300)), submit(settled + ms(2000), 8, ms(5000))];
      const { answers } = watch({ protocol, faults, inputs });
      expect(answers).toMatchObject([
        { id: 7, at: settled + ms(300), expired: true },
        { id: 8, result: expect.anything() },
      ]);
    });

    test('answers nothing after it was told to stop waiting', () => {
      const faults = (n: number): Fault[] => [
        { type: 'cut', at: 0, from: range(n), to: [n], kinds: replies },
        { type: 'heal', at: settled + ms(1000) },
      ];
      const cancel = { at: settled + ms(500), event: { type: 'cancel', id: 7 } } as const;
      const { answers } = watch({ protocol, faults, inputs: [submit(settled, 7), cancel] });
      expect(answers).toEqual([]);
    });

    test(`believes what ${policy.matching} of ${n} replicas say, and not fewer`, () => {
      const silent =
        (count: number) =>
        (n: number): Fault[] => [
          { type: 'cut', at: 0, from: range(n).slice(n - count), to: [n], kinds: replies },
        ];
      const inputs = [submit(settled, 7)];
      const enough = watch({ protocol, faults: silent(n - policy.matching), inputs });
      // A leader that nobody hears is nobody's leader: there one reply comes from the leader only.
      if (policy.ask === 'any') expect(enough.answers).toHaveLength(1);
      const few = watch({ protocol, faults: silent(n - policy.matching + 1), inputs });
      expect(few.answers).toEqual([]);
    });

    test(`is ${policy.matching > 1 ? 'not ' : ''}fooled by one replica that lies to it`, () => {
      const words = range(20).map((i) => {
        const attack = { attack: 'wrong-reply-to-client', seed: `${i + 1}` };
        const { word, violation, fired } = runScenario(completeScenario({ protocol, ...attack }));
        expect(fired).toBeGreaterThan(0);
        return violation === undefined ? word : `${word}: ${violation.rule}`;
      });
      if (policy.matching > 1) expect(new Set(words)).toEqual(new Set(['ok']));
      else expect(words).toContain('invalid: reply');
    });
  });
}

const crashProtocols = protocols.filter(
  ({ claims, create }) => claims.faults === 'crash' && create({ n: 5, f: 2 }).length === undefined,
);

test.each(crashProtocols.map(({ name }) => name))(
  '%s: whichever two of five are down from the start, clients are soon served by the others',
  (protocol) => {
    for (const one of range(5))
      for (const other of range(one)) {
        const faults = [one, other].map((node) => ({ type: 'crash', at: 1000, node }) as const);
        const scenario = completeScenario({ protocol, n: 5, f: 2, faults, count: 4 });
        const { word, violation } = runScenario(scenario);
        expect(word, `${protocol} without n${one} and n${other}: ${violation?.sentence}`).toBe(
          'ok',
        );
      }
  },
);
