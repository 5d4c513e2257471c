import { expect, test } from 'vitest';
import {
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  linearizable,
  type Observer,
  observers,
} from './index.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (each) => each.charCodeAt(0));
const text = (from: Uint8Array): string => String.fromCharCode(...from);

/** 'put a 1', 'get a' and 'compare-and-set a 1 2' on the wire; anything else is no operation. */
function decode(operation: Uint8Array, result: Uint8Array | undefined) {
  const [kind, key = '', first = '', second = ''] = text(operation).split(' ');
  const said = result === undefined ? undefined : text(result);
  const decoded = (input: KeyValueInput, output: KeyValueOutput | undefined) => ({ input, output });
  if (said === 'nonsense') return undefined;
  if (said === 'refused') return 'refused';
  if (kind === 'get') return decoded({ kind, key }, said === '' ? null : said);
  if (kind === 'put') return decoded({ kind, key, value: first }, undefined);
  if (kind !== 'compare-and-set') return undefined;
  const output = said === undefined ? undefined : said === 'yes';
  return decoded({ kind, key, expected: first, value: second }, output);
}

const watch = (more: { callsMax?: number; budget?: { steps: number } } = {}): Observer =>
  linearizable({ model: keyValueModel(), decode, ...more });

/** Runs 'client operation > result' one by one, 1 ms each; without '>' it never returns. */
function run(check: Observer, ...calls: readonly string[]): Observer {
  for (const [i, call] of calls.entries()) {
    const [asked, result] = call.split(' > ') as [string, string?];
    const [client, ...operation] = asked.split(' ');
    check.invoked?.(1000 * i, Number(client), i, bytes(operation.join(' ')));
    if (result !== undefined) check.returned?.(1000 * i + 500, Number(client), i, bytes(result));
  }
  check.end?.(1000 * calls.length);
  return check;
}

test('a run whose answers fit is clean, also with lost answers and other operations', () => {
  const check = run(
    observers(watch()),
    '7 put a 1 > ok',
    '8 put a 2',
    '9 get a > 1',
    '9 ping > pong',
    '9 get a > 2',
    '7 compare-and-set a 2 3 > yes',
  );
  expect(check.violation).toBeUndefined();
});

test('what failed had no effect; what is only unanswered may have had one', () => {
  const read = (fail: boolean): Observer => {
    const check = observers(watch());
    check.invoked?.(1, 7, 0, bytes('put a 1'));
    if (fail) check.failed?.(2, 7, 0);
    return run(check, '9 get a > 1');
  };
  expect(read(false).violation).toBeUndefined();
  expect(read(true).violation).toMatchObject({ word: 'stale-read' });
});

test('what an application refuses by its result has changed nothing, and did not happen', () => {
  const refused = run(watch(), '7 put a 1 > ok', '7 put a 2 > refused', '9 get a > 1');
  expect(refused.violation).toBeUndefined();
  const lied = run(watch(), '7 put a 1 > ok', '7 put a 2 > refused', '9 get a > 2');
  expect(lied.violation?.word).toBe('stale-read');
});

test('a read that misses a completed write is a stale read, and says when and what', () => {
  const check = run(observers(watch()), '7 put a 1 > ok', '7 put a 2 > ok', '9 get a > 1');
  expect(check.violation).toMatchObject({ word: 'stale-read', rule: 'linearizability', at: 2500 });
  expect(check.violation?.sentence).toContain("process 9: get 'a' gave '1'");
  expect(check.violation?.sentence).toContain('from 2000 to 2500 µs');
});

test('a change on a false condition and a result without meaning are invalid', () => {
  const changed = run(watch(), '7 put a 1 > ok', '7 compare-and-set a 9 2 > yes');
  expect(changed.violation?.word).toBe('invalid');
  const nonsense = run(watch(), '7 get a > nonsense');
  expect(nonsense.violation).toMatchObject({ word: 'invalid', at: 500 });
});

test('at one instant what was heard first came first', () => {
  const check = watch();
  check.invoked?.(5, 1, 1, bytes('put a 1'));
  check.returned?.(5, 1, 1, bytes('ok'));
  check.invoked?.(5, 1, 2, bytes('get a'));
  check.returned?.(5, 1, 2, bytes(''));
  check.end?.(6);
  expect(check.violation?.word).toBe('stale-read');
});

test('a second invocation or return of one operation changes nothing', () => {
  const check = watch();
  check.invoked?.(1, 1, 1, bytes('put a 1'));
  check.invoked?.(2, 1, 1, bytes('put a 1'));
  check.returned?.(3, 1, 1, bytes('ok'));
  check.invoked?.(4, 2, 1, bytes('get a'));
  check.returned?.(5, 2, 1, bytes(''));
  check.returned?.(6, 1, 1, bytes('ok'));
  check.end?.(7);
  expect(check.violation).toMatchObject({ word: 'stale-read', at: 5 });
});

test('too many calls or steps make a run inconclusive, never ok', () => {
  const calls = ['7 put a 1 > ok', '7 put a 2 > ok', '9 get a > 2'];
  expect(run(watch({ callsMax: 2 }), ...calls).violation?.word).toBe('inconclusive');
  expect(run(watch({ budget: { steps: 2 } }), ...calls).violation?.word).toBe('inconclusive');
});
