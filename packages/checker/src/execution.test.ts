/** What replicas ran and clients believe: which of it is wrong, and how it is told. */
import { expect, test } from 'vitest';
import { applied, bytes, request, word } from '../test/requests.ts';
import { agreement, execution, type Observer } from './index.ts';

/** A run in which two requests were asked for, and what it is found to be. */
const judged = (run: (check: Observer) => void): Observer => {
  const check = execution();
  for (const each of [request(1), request(2), request(3)]) check.asked?.(0, each);
  run(check);
  check.end?.(100);
  return check;
};

test('state: each of several requests of one slot is compared, whoever runs it first', () => {
  // Three requests share a slot; the state after each of them is another.
  const ran = (states: readonly number[], seat: number) => (check: Observer) => {
    for (const [i, state] of states.entries())
      check.applied?.(1, seat, applied(4, request(i + 1), { state }));
    check.applied?.(1, seat, applied(5, request(3), { state: 50, fresh: false }));
  };
  const both = (...others: readonly number[]) =>
    judged((check) => {
      ran([11, 12, 13], 0)(check);
      ran(others, 1)(check);
    }).violation;
  expect(both(11, 12, 13)).toBeUndefined();
  for (const other of [[99], [11, 99], [11, 12, 99]])
    expect(both(...other)).toMatchObject({ rule: 'state', slot: 4, seats: [1] });
  // Slots count from the start of each life: who begins anew is compared from the first on.
  const again = judged((check) => {
    ran([11, 12, 13], 0)(check);
    check.started?.(2, 0);
    ran([11, 99, 13], 0)(check);
  });
  expect(again.violation).toMatchObject({ rule: 'state', slot: 4, seats: [0] });
  // A snapshot puts a seat behind its slot, and the next one is compared like others.
  for (const state of [7, 8]) {
    const installed = judged((check) => {
      check.applied?.(1, 0, applied(4, request(1), { state: 6 }));
      check.applied?.(1, 0, applied(5, request(2), { state: 7 }));
      check.installed?.(2, 1, 4);
      check.applied?.(3, 1, applied(5, request(2), { state }));
    });
    expect(word(installed)).toBe(state === 7 ? 'ok' : 'state');
  }
});

test('durability: once a run has healed some running replica holds what was acknowledged', () => {
  const held = (run: (check: Observer) => void, heals = true) =>
    word(
      judged((check) => {
        check.applied?.(1, 0, applied(0, request(1)));
        check.applied?.(1, 0, applied(1, request(2)));
        check.answered?.(2, 65_536, 2, [bytes('done')]);
        run(check);
        if (heals) check.healed?.(9);
      }),
    );
  expect(held(() => undefined)).toBe('ok');
  expect(held((check) => check.stopped?.(3, 0))).toBe('durability');
  // Not yet healed: who has it may come back.
  expect(held((check) => check.stopped?.(3, 0), false)).toBe('ok');
  // A stop of nobody that has ever run changes nothing.
  expect(held((check) => check.stopped?.(3, 7))).toBe('ok');
  expect(held((check) => check.started?.(3, 0))).toBe('durability');
  const again = held((check) => {
    check.started?.(3, 0);
    check.applied?.(4, 0, applied(0, request(1)));
    check.applied?.(4, 0, applied(1, request(2)));
  });
  expect(again).toBe('ok');
  for (const [slot, found] of [
    [0, 'durability'],
    [1, 'ok'],
    [2, 'ok'],
  ] as const)
    expect(
      held((check) => {
        check.stopped?.(3, 0);
        check.installed?.(4, 1, slot);
      }),
    ).toBe(found);
  const one = judged((check) => {
    check.applied?.(1, 0, applied(1, request(2)));
    check.answered?.(2, 65_536, 2, [bytes('done')]);
    check.stopped?.(3, 0);
    check.healed?.(9);
  });
  expect(one.violation).toMatchObject({ at: 100, slot: 1, seats: [] });
  expect(one.violation?.sentence).toContain('request 2 of client 65536 was acknowledged');
});

test('replies: a client must believe all of what was given, and no more', () => {
  const given = [bytes('a'), bytes('b')];
  for (const believed of [
    [bytes('a')],
    [],
    [...given, bytes('c')],
    [bytes('a'), bytes('x')],
    [bytes('x'), bytes('b')],
  ])
    for (const early of [true, false]) {
      const check = judged((run) => {
        if (early) run.answered?.(1, 65_536, 1, believed);
        run.applied?.(2, 0, applied(3, request(1), { results: given }));
        if (!early) run.answered?.(3, 65_536, 1, believed);
      });
      expect(check.violation).toMatchObject({
        rule: 'reply',
        slot: 3,
        seats: [],
        at: early ? 100 : 3,
      });
    }
  const fine = judged((run) => {
    run.applied?.(2, 0, applied(3, request(1), { results: given }));
    run.answered?.(3, 65_536, 1, [bytes('a'), bytes('b')]);
  });
  expect(word(fine)).toBe('ok');
});

test('what is told of a run names the request, the place and the seat', () => {
  const two = judged((check) => {
    check.applied?.(1, 2, applied(4, request(1)));
    check.applied?.(5, 3, applied(6, request(1)));
  });
  expect(two.violation).toEqual({
    word: 'invalid',
    rule: 'integrity',
    sentence: 'n3 ran request 1 of client 65536 at position 6, and it ran at 4 before',
    at: 5,
    slot: 6,
    seats: [3],
  });
  const nobody = judged((check) => check.applied?.(1, 2, applied(4, request(9))));
  expect(nobody.violation).toMatchObject({
    sentence: 'position 4: n2 ran request 9 of client 65536, which no client asked for',
    seats: [2],
  });
  const lost = judged((check) => {
    check.answered?.(1, 65_536, 3, []);
    check.healed?.(2);
  });
  expect(lost.violation).toEqual({
    ...{ word: 'invalid', rule: 'reply', at: 100, seats: [] },
    sentence: 'client 65536 believes that request 3 ran, and no honest replica ran it',
  });
  const check = agreement();
  check.decided?.(1, 0, { slot: 3, commands: [] });
  check.decided?.(2, 0, { slot: 3, commands: [request(1), request(2)] });
  expect(check.violation).toMatchObject({
    sentence:
      'position 3: n0 committed nothing, n0 after a restart committed request 1 of client 65536 ' +
      'then request 2 of client 65536',
    seats: [0],
  });
  // The first thing that is wrong is told, and not the last.
  check.decided?.(9, 1, { slot: 3, commands: [request(3)] });
  expect(check.violation?.at).toBe(2);
  const described = execution(
    (of) => `<${of.operations.length} ${of.configuration?.length ?? 'none'}>`,
  );
  described.applied?.(
    1,
    0,
    applied(0, request(1), { operations: [], configuration: bytes('abc') }),
  );
  expect(described.violation?.sentence).toContain('n0 ran <0 3>,');
  const plainly = execution((of) => `<${of.operations.length} ${'configuration' in of}>`);
  plainly.applied?.(1, 0, applied(0, request(1)));
  expect(plainly.violation?.sentence).toContain('n0 ran <1 false>,');
});

test('requests are told apart however far their numbers lie from each other', () => {
  const life = 2 ** 24;
  const numbers = [
    5 * life + 1,
    5 * life + 2,
    5 * life,
    1,
    5 * life + 1027,
    5 * life + 5000,
    2 ** 47,
    5 * life + 1028,
  ];
  const check = execution();
  for (const sequence of numbers) check.asked?.(0, request(sequence));
  for (const [slot, sequence] of numbers.entries()) {
    check.applied?.(1, 0, applied(slot, request(sequence)));
    check.answered?.(1, 65_536, sequence, [bytes('done')]);
  }
  check.end?.(5);
  expect(word(check)).toBe('ok');
  for (const [slot, sequence] of numbers.entries()) {
    // Each is remembered: as one that ran, and as one that was answered.
    const twice = execution();
    for (const each of numbers) twice.asked?.(0, request(each));
    for (const [at, each] of numbers.entries()) twice.applied?.(1, 0, applied(at, request(each)));
    twice.applied?.(2, 0, applied(100 + slot, request(sequence)));
    expect(twice.violation).toMatchObject({ rule: 'integrity', slot: 100 + slot });
    const unheard = execution();
    for (const each of numbers) if (each !== sequence) unheard.answered?.(1, 65_536, each, []);
    unheard.answered?.(1, 65_536, sequence, []);
    for (const [at, each] of numbers.entries())
      if (each !== sequence) {
        unheard.asked?.(0, request(each));
        unheard.applied?.(2, 0, applied(at, request(each), { results: [] }));
      }
    unheard.end?.(3);
    expect(unheard.violation?.sentence).toContain(`request ${sequence} ran`);
  }
});
