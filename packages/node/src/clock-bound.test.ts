import { expect, test } from 'vitest';
import { trackingIn, watchClock } from './clock-bound.ts';
import { now } from './time.ts';

/** As chronyc 4.5 writes it. */
const line = (changes: Readonly<Record<number, string>> = {}): string => {
  const fields = [
    ...['A29FC87B', 'time.example.org', '4', '1764482399.041502114', '0.000123456'],
    ...['-0.000011072', '0.000085112', '-12.114', '-0.001', '0.025', '0.021000000', '0.000900000'],
    ...['64.7', 'Normal'],
  ];
  return `${fields.map((field, i) => changes[i] ?? field).join(',')}\n`;
};

test('the error is the offset, the root dispersion and half of the root delay', () => {
  // 123.456 µs + 900 µs + 10,500 µs, rounded up.
  expect(trackingIn(line())).toEqual({ error: 11_524, driftPerBillion: 25 });
  expect(trackingIn(line({ 4: '-0.000123456' }))?.error).toBe(11_524);
});

test.each([
  ['a clock that is not synchronised', line({ 13: 'Not synchronised' })],
  ['a field too few', line().split(',').slice(1).join(',')],
  ['what is no number', line({ 11: 'soon' })],
  ['a dispersion below nothing', line({ 11: '-1' })],
  ['a clock that is hours off', line({ 4: '7200' })],
  ['an error of chronyc', '506 Cannot talk to daemon\n'],
  ['nothing', ''],
])('%s is no bound', (_what, text) => {
  expect(trackingIn(text)).toBeUndefined();
});

test('who declared the bound stands for it where chrony says nothing', async () => {
  const alone = watchClock(50_000, () => Promise.resolve(undefined));
  await Promise.resolve();
  expect(alone.bound()).toEqual({ error: 50_000, source: 'declared' });
  alone.stop();
});

test('what chrony says counts, and is never narrower than its error', async () => {
  const clock = watchClock(50_000, () => Promise.resolve(line()));
  expect(clock.bound().source).toBe('declared');
  await new Promise((resolve) => setImmediate(resolve));
  const { error, source } = clock.bound();
  expect(source).toBe('chrony');
  expect(error).toBeGreaterThanOrEqual(11_524);
  clock.stop();
  expect(now()).toBeGreaterThan(0);
});
