import { expect, test } from 'vitest';
import {
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  tooLong,
} from './index.ts';

const register = registerModel<number>();
const store = keyValueModel(null, 2);

const set = (expected: string | null, value: string) =>
  ({ kind: 'compare-and-set', key: 'k', expected, value }) as const;
const change = (kind: 'put' | 'append', value: string) => ({ kind, key: 'k', value }) as const;
const [seen, gone] = [
  { kind: 'get', key: 'k' },
  { kind: 'delete', key: 'k' },
] as const;
const refused = (why: string) => ({ refused: why });

/** State before, call and what it gave, and the state after; undefined: that cannot be. */
const storeSteps: readonly (readonly [
  string | null,
  KeyValueInput,
  KeyValueOutput | undefined,
  string | null | undefined,
])[] = [
  [null, seen, null, null],
  ['x', seen, 'x', 'x'],
  ['x', seen, undefined, 'x'],
  ['x', seen, 'y', undefined],
  ['x', seen, null, undefined],
  ['x', seen, refused(tooLong), undefined],
  ['x', seen, refused('not now'), undefined],
  ['x', gone, true, null],
  ['x', gone, false, undefined],
  [null, gone, false, null],
  [null, gone, true, undefined],
  ['x', gone, undefined, null],
  ['x', gone, refused('not now'), 'x'],
  ['x', gone, refused(tooLong), undefined],
  ['x', change('put', 'y'), undefined, 'y'],
  ['x', change('put', 'y'), true, 'y'],
  ['x', change('put', 'y'), false, undefined],
  ['x', change('put', 'y'), refused('not now'), 'x'],
  ['x', change('put', 'y'), refused(tooLong), undefined],
  [null, change('append', 'y'), true, 'y'],
  ['x', change('append', 'y'), undefined, 'xy'],
  ['x', change('append', 'y'), false, undefined],
  ['x', change('append', 'y'), refused(tooLong), undefined],
  ['x', change('append', 'y'), refused('not now'), 'x'],
  ['xy', change('append', 'y'), refused(tooLong), 'xy'],
  ['xy', change('append', 'y'), refused('not now'), 'xy'],
  ['xy', change('append', 'y'), undefined, 'xy'],
  ['xy', change('append', 'y'), true, undefined],
  ['x', set('x', 'y'), true, 'y'],
  ['x', set('x', 'y'), false, undefined],
  ['x', set('x', 'y'), undefined, 'y'],
  ['x', set('x', 'y'), { found: 'x' }, undefined],
  ['x', set('z', 'y'), { found: 'x' }, 'x'],
  ['x', set('z', 'y'), { found: 'z' }, undefined],
  ['x', set('z', 'y'), { found: null }, undefined],
  ['x', set('z', 'y'), true, undefined],
  ['x', set('z', 'y'), false, 'x'],
  ['x', set('z', 'y'), undefined, 'x'],
  ['x', set(null, 'y'), false, 'x'],
  [null, set(null, 'y'), true, 'y'],
  [null, set(null, 'y'), null, undefined],
  ['x', set('x', 'y'), refused('not now'), 'x'],
];

test('a store does what it is said to do, and cannot have said anything else', () => {
  for (const [before, input, output, after] of storeSteps) {
    const what = `${before} ${JSON.stringify(input)} ${JSON.stringify(output)}`;
    expect(keyValueModel(null, 2).step(before, input, output), what).toBe(after);
  }
  const plain = keyValueModel('');
  expect([plain.initial, keyValueModel().initial]).toEqual(['', null]);
  expect(plain.step('', gone, false)).toBe('');
  expect(plain.step('x'.repeat(99), change('append', 'y'), true)).toHaveLength(100);
  expect(plain.key?.(seen)).toBe('k');
  expect([seen, gone, change('put', 'x')].map((each) => plain.isRead(each))).toEqual([
    ...[true, false, false],
  ]);
  expect(register.isRead({ kind: 'read' })).toBe(true);
  expect(register.isRead({ kind: 'write', value: 1 })).toBe(false);
});

test('calls are told in words', () => {
  const long = `${'a'.repeat(50)}${'b'.repeat(60)}`;
  const told: readonly (readonly [KeyValueInput, KeyValueOutput | undefined, string])[] = [
    [seen, 'x', "get 'k' gave 'x'"],
    [seen, null, "get 'k' gave nothing"],
    [seen, undefined, "get 'k'"],
    [seen, long, `get 'k' gave '…${'b'.repeat(60)}'`],
    [seen, 'b'.repeat(60), `get 'k' gave '${'b'.repeat(60)}'`],
    [gone, true, "delete 'k' gave true"],
    [change('put', 'x'), true, "put 'k' 'x'"],
    [change('append', 'x'), undefined, "append 'k' 'x'"],
    [change('append', 'x'), false, "append 'k' 'x' gave false"],
    [change('append', 'x'), refused(tooLong), "append 'k' 'x' was refused (too long)"],
    [set(null, 'x'), { found: 'y' }, "compare-and-set 'k' nothing to 'x' found 'y'"],
    [set('y', 'x'), false, "compare-and-set 'k' 'y' to 'x' gave false"],
  ];
  for (const [input, output, text] of told) expect(store.describe(input, output)).toBe(text);
  const ofRegister: readonly (readonly [RegisterInput<number>, RegisterOutput<number>, string])[] =
    [
      [{ kind: 'read' }, 4, 'read gave 4'],
      [{ kind: 'write', value: 4 }, true, 'write 4'],
      [
        { kind: 'compare-and-set', expected: null, value: 4 },
        true,
        'compare-and-set nothing to 4 gave true',
      ],
    ];
  for (const [input, output, text] of ofRegister)
    expect(register.describe(input, output)).toBe(text);
});
