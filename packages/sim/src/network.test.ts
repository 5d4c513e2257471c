import { expect, test } from 'vitest';
import {
  asynchronous,
  happens,
  type LinkModel,
  lan,
  lossy,
  partiallySynchronous,
  sampleDelay,
  wan,
} from './network.ts';
import { decisions } from './random.ts';

const link = (
  model: { phases: readonly { link: (a: number, b: number) => LinkModel }[] },
  phase = 0,
): LinkModel => (model.phases[phase] as { link: (a: number, b: number) => LinkModel }).link(0, 1);

const sample = (model: LinkModel, seed: string, size = 20_000): number[] => {
  const random = decisions({ seed });
  return Array.from({ length: size }, () => sampleDelay(random, model.delay));
};

test('delays are integers within what each network promises', () => {
  const spans: [string, LinkModel, number, number][] = [
    ['lan', link(lan), 100, 300],
    ['lossy', link(lossy), 100, 50_000],
    ['wan', link(wan), 31_000, 33_000],
    ['async', link(asynchronous), 64, 2 ** 24],
    ['psync', link(partiallySynchronous({ gst: 1e6, delta: 1_000 }), 1), 100, 1_000],
  ];
  for (const [seed, model, low, high] of spans) {
    const all = sample(model, seed);
    expect(all.every((each) => Number.isInteger(each) && each >= low && each <= high)).toBe(true);
  }
});

test('a heavy tail is rare and long, and its middle is short', () => {
  const all = sample(link(lossy), 'tail').sort((a, b) => a - b);
  expect(all[10_000]).toBeLessThan(400);
  expect(all[19_900]).toBeGreaterThan(10_000);
});

test('things happen about as often as told', () => {
  const random = decisions({ seed: 'rate' });
  for (const rate of [0, 20_000, 500_000, 1_000_000]) {
    let hits = 0;
    for (let i = 0; i < 20_000; i++) if (happens(random, rate)) hits++;
    expect(Math.abs(hits - (20_000 * rate) / 1e6)).toBeLessThanOrEqual(
      rate % 1_000_000 === 0 ? 0 : 400,
    );
  }
});

test('a choice of 0 is the kindest: no loss and the shortest delay', () => {
  const random = decisions({ seed: 0, replay: [] });
  expect(happens(random, 999_999)).toBe(false);
  expect(sampleDelay(random, link(lossy).delay)).toBe(100);
});
