import type { Request } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { applied, bytes, request, word } from '../test/requests.ts';
import {
  agreement,
  execution,
  liveness,
  type Observer,
  observers,
  upper95,
  worst,
} from './index.ts';

test('agreement: the same value twice is fine, two values at one slot are a fork', () => {
  const check = agreement();
  check.decided?.(1, 0, { slot: 0, commands: [request(1)] });
  check.decided?.(2, 1, { slot: 0, commands: [{ ...request(1), acknowledged: 1 }] });
  expect(check.violation).toBeUndefined();
  check.decided?.(3, 2, { slot: 0, commands: [request(1, 'other')] });
  expect(check.violation).toMatchObject({ word: 'forked', slot: 0, seats: [0, 2], at: 3 });
  expect(check.violation?.sentence).toMatch(/n0 committed .*, n2 committed /);
});

test('agreement: order in a batch and a no-op count, and so does a replica after restart', () => {
  for (const other of [[], [request(2), request(1)], [request(1)]]) {
    const check = agreement();
    check.decided?.(1, 0, { slot: 5, commands: [request(1), request(2)] });
    check.decided?.(2, 0, { slot: 5, commands: other });
    expect(check.violation?.sentence).toContain('n0 after a restart');
  }
});

const change = (bytes: readonly number[] | undefined, sequence = 1): Request => ({
  ...request(sequence),
  operations: [],
  ...(bytes === undefined ? {} : { configuration: Uint8Array.from(bytes) }),
});

test('agreement: two changes of the group at one slot are a fork, and one and a no-op are', () => {
  const first = change([1, 2, 3]);
  const others: readonly (readonly Request[])[] = [
    [change([1, 2, 4])],
    [change([1, 2])],
    [change(undefined)],
    [],
    [request(1)],
    [first, change([9], 2)],
  ];
  for (const other of others)
    for (const [one, two] of [[[first], other] as const, [other, [first]] as const]) {
      const check = agreement();
      check.decided?.(1, 0, { slot: 3, commands: one });
      check.decided?.(2, 1, { slot: 3, commands: two });
      expect(check.violation).toMatchObject({ word: 'forked', slot: 3, seats: [0, 1] });
    }
  const check = agreement();
  check.decided?.(1, 0, { slot: 3, commands: [first] });
  check.decided?.(2, 1, { slot: 3, commands: [change([1, 2, 3])] });
  expect(check.violation).toBeUndefined();
});

test('a change of the group that nobody asked for breaks validity', () => {
  const ran = (configuration: readonly number[]): Observer => {
    const check = execution();
    check.asked?.(0, change([1, 2, 3]));
    const { operations, configuration: wish } = change(configuration);
    check.applied?.(
      1,
      0,
      applied(0, request(1), { operations, configuration: wish as Uint8Array }),
    );
    return check;
  };
  expect(word(ran([1, 2, 3]))).toBe('ok');
  expect(word(ran([1, 2, 4]))).toBe('validity');
  const dropped = execution();
  dropped.asked?.(0, change([1, 2, 3]));
  dropped.applied?.(1, 0, applied(0, request(1), { operations: [] }));
  expect(word(dropped)).toBe('validity');
});

test('execution: an honest run is clean, also across a restart and a repeated request', () => {
  const check = execution();
  for (const each of [request(1), request(2)]) check.asked?.(0, each);
  for (const seat of [0, 1]) {
    check.applied?.(1, seat, applied(0, request(1)));
    check.applied?.(2, seat, applied(1, request(2)));
    check.applied?.(3, seat, applied(2, request(1), { fresh: false }));
  }
  check.answered?.(4, 65_536, 1, [bytes('done')]);
  check.started?.(5, 1);
  check.applied?.(6, 1, applied(0, request(1)));
  check.healed?.(7);
  check.end?.(8);
  expect(word(check)).toBe('ok');
});

const flaws: Readonly<Record<string, (check: Observer) => void>> = {
  validity: (check) => check.applied?.(1, 0, applied(0, request(9))),
  integrity(check) {
    check.applied?.(1, 0, applied(0, request(1)));
    check.applied?.(2, 0, applied(1, request(1)));
  },
  state(check) {
    check.applied?.(1, 0, applied(0, request(1)));
    check.applied?.(1, 1, applied(0, request(1), { state: 77 }));
  },
  reply(check) {
    check.applied?.(1, 0, applied(0, request(1)));
    check.answered?.(2, 65_536, 1, [bytes('lie')]);
  },
  durability(check) {
    check.applied?.(1, 0, applied(0, request(1)));
    check.applied?.(1, 0, applied(1, request(2)));
    check.answered?.(2, 65_536, 2, [bytes('done')]);
    check.started?.(3, 0);
    check.applied?.(4, 0, applied(0, request(1)));
    check.healed?.(5);
    check.end?.(6);
  },
};

for (const [rule, run] of Object.entries(flaws))
  test(`execution: a run without ${rule} is caught, and named`, () => {
    const check = execution();
    for (const each of [request(1), request(2)]) check.asked?.(0, each);
    run(check);
    expect(check.violation).toMatchObject({ word: 'invalid', rule });
  });

test('a changed operation under a known sequence breaks validity', () => {
  const check = execution();
  check.asked?.(0, request(1));
  check.applied?.(1, 0, applied(0, request(1, 'changed')));
  expect(word(check)).toBe('validity');
});

test('an answer that no honest replica gave is caught', () => {
  const check = execution();
  check.asked?.(0, request(1));
  check.answered?.(1, 65_536, 1, [bytes('done')]);
  expect(check.violation).toBeUndefined();
  check.end?.(2);
  expect(check.violation?.sentence).toContain('no honest replica ran it');
});

test('liveness: only requests open for the bound after healing count', () => {
  const late = liveness(1000);
  late.asked?.(0, request(1));
  late.healed?.(500);
  late.end?.(1400);
  expect(word(late)).toBe('ok');
  const stalled = liveness(1000);
  stalled.asked?.(0, request(1));
  stalled.healed?.(500);
  stalled.end?.(1500);
  expect(stalled.violation).toMatchObject({ word: 'stalled', rule: 'liveness' });
  const answered = liveness(1000);
  answered.asked?.(0, request(1));
  answered.healed?.(500);
  answered.answered?.(600, 65_536, 1, []);
  answered.end?.(9000);
  expect(word(answered)).toBe('ok');
  const abandoned = liveness(1000);
  abandoned.asked?.(0, request(1));
  abandoned.healed?.(500);
  abandoned.abandoned?.(600, 65_536, 1);
  abandoned.end?.(9000);
  expect(word(abandoned)).toBe('ok');
  const torn = liveness(1000);
  torn.asked?.(0, request(1));
  torn.end?.(9000);
  expect(word(torn)).toBe('ok');
});

test('liveness: the bound begins with the asking or the healing, whichever is later', () => {
  const open = (asks: readonly number[], heals: number, ends: number): Observer => {
    const check = liveness(1000);
    for (const at of asks) check.asked?.(at, request(1));
    check.healed?.(heals);
    check.end?.(ends);
    return check;
  };
  expect(open([0], 500, 1500).violation).toEqual({
    ...{ word: 'stalled', rule: 'liveness', at: 1500, seats: [] },
    sentence: 'request 1 of client 65536 is unanswered 1 ms after the network healed',
  });
  expect(word(open([700], 500, 1699))).toBe('ok');
  expect(word(open([700], 500, 1700))).toBe('liveness');
  expect(word(open([0, 1400], 500, 1500))).toBe('liveness');
  // Who was answered and asks again waits no more.
  const again = liveness(1000);
  again.asked?.(0, request(1));
  again.answered?.(1, 65_536, 1, []);
  again.asked?.(2, request(1));
  again.healed?.(3);
  again.end?.(5000);
  expect(word(again)).toBe('ok');
});

test('one observer of many hears all that they hear, and asks nobody who does not listen', () => {
  const hooks = [
    'asked',
    'answered',
    'invoked',
    'returned',
    'failed',
    'refused',
    'abandoned',
    'decided',
    'applied',
    'installed',
    'started',
    'stopped',
    'healed',
    'end',
  ] as const;
  const heard: string[] = [];
  const one = { violation: undefined } as Record<string, unknown>;
  for (const hook of hooks)
    one[hook] = (...values: readonly unknown[]) => void heard.push(`${hook} ${values.join()}`);
  const deaf: Observer = { violation: undefined };
  const all = observers(deaf, one as unknown as Observer, deaf) as unknown as Record<
    string,
    (...values: readonly unknown[]) => void
  >;
  for (const hook of hooks) all[hook]?.(1, 2, 3, 4);
  const lengths = [2, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 1, 1];
  expect(heard).toEqual(
    hooks.map((hook, i) => `${hook} ${[1, 2, 3, 4].slice(0, lengths[i]).join()}`),
  );
});

test('a refusal ends the waiting, and is a lie if the request ran after all', () => {
  const [kept, lied] = [request(1), request(2)];
  const check = observers(execution(), liveness(10));
  for (const each of [kept, lied]) {
    check.asked?.(1, each);
    check.refused?.(2, each.client, each.sequence);
  }
  check.healed?.(3);
  check.end?.(1_000);
  expect(check.violation).toBeUndefined();
  check.applied?.(4, 0, applied(0, lied));
  check.end?.(1_000);
  expect(check.violation).toMatchObject({ word: 'invalid', rule: 'reply' });
  expect(check.violation?.sentence).toContain('request 2 was refused, and it ran');
});

test('many observers are one; the worst word wins; zero hits still have an upper bound', () => {
  const both = observers(agreement(), execution());
  both.applied?.(1, 0, applied(0, request(3)));
  expect(word(both)).toBe('validity');
  expect(worst(['ok', 'stalled', 'forked'])).toBe('forked');
  expect(worst([])).toBe('ok');
  expect(upper95(0, 300)).toBe(1);
  expect(upper95(0, 0)).toBe(100);
  expect(upper95(30, 300)).toBeCloseTo(100 * (0.1 + 1.645 * Math.sqrt(0.09 / 300)), 9);
  expect([upper95(0, 2), upper95(2, 2), upper95(1, 1000) < 1]).toEqual([100, 100, true]);
});
