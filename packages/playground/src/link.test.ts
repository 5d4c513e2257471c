import { attacks, engine, protocols } from '@quorumlab/harness';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkOf, otherRun, placeOf } from './link.ts';
import { clocks, demo, most, networks, type Settings } from './settings.ts';

const names = protocols.map(({ name }) => name);
const pair = (words: readonly string[]): fc.Arbitrary<readonly [string, string]> =>
  fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words));
const settings: fc.Arbitrary<Settings> = fc.record({
  protocols: pair(names),
  mutants: pair(['', 'figure-8', 'no-intersection']),
  same: fc.constantFrom('f', 'n'),
  f: fc.integer({ min: 0, max: most.f }),
  n: fc.integer({ min: 1, max: most.n }),
  attack: fc.constantFrom(...attacks.map(({ name }) => name)),
  network: fc.constantFrom(...networks),
  clocks: fc.constantFrom(...clocks),
  workload: fc.constantFrom('contest', 'a', 'writes'),
  count: fc.integer({ min: 1, max: most.count }),
  crypto: fc.constantFrom('ideal', 'ed25519'),
  seed: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
});

test('a link gives back what it was made of, whatever the seed is', () => {
  fc.assert(
    fc.property(settings, fc.nat(1000), (given, at) => {
      const digests = ['0660030b8380', 'b02ddc690a3e'];
      const place = placeOf(linkOf(given, { at, digests }));
      const { f, n, ...rest } = given;
      expect(place.settings).toMatchObject({ ...rest, ...(given.same === 'f' ? { f } : { n }) });
      expect(place).toMatchObject({ route: 'play', at, complaints: [] });
      expect(place.digests).toEqual(['0660030b', 'b02ddc69']);
      expect(otherRun(place, digests)).toBeUndefined();
    }),
  );
});

test('a link can be read, and written by hand', () => {
  expect(linkOf(demo, { at: 7 })).toBe(
    '#/play?v=1&p=raft,pbft&same=f&f=1&attack=equivocating-leader&net=lan&clock=perfect' +
      `&load=contest&count=2&sign=ed25519&seed=42&at=7&x=${engine.split(' ')[1]}`,
  );
  expect(placeOf('#/play?p=hotstuff,raft&same=n&n=7').settings).toMatchObject({
    ...{ protocols: ['hotstuff', 'raft'], same: 'n', n: 7 },
    attack: demo.attack,
  });
});

test('what is wrong in a link is said, and what is usual takes its place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['#/play?v=2&n=4', /version 2, and this page reads version 1/],
    ['#/play?n=400', /"n" of the link is no number from 1 to 31/],
    ['#/play?count=1e9', /"count" of the link is no number/],
    ['#/play?sign=none', /"sign" of the link is none of ideal, ed25519/],
    ['#/play?seed=%', /damaged/],
    ['#/lessons', /no page "lessons"/],
    ['#/play/3', /no page "play\/3"/],
  ];
  for (const [hash, sentence] of wrong) {
    const { complaints, settings: read } = placeOf(hash);
    expect(complaints.join(), hash).toMatch(sentence);
    expect(read, hash).toEqual(demo);
  }
  fc.assert(fc.property(fc.string(), (hash) => void placeOf(hash)));
});

test('a link of another run is told apart by its digests', () => {
  const place = placeOf(`${linkOf(demo, { digests: ['aaaaaaaa', 'bbbbbbbb'] })}`);
  expect(otherRun(place, ['aaaaaaaa11', 'cccccccc22'])).toMatch(
    /another run: digest aaaaaaaa and c/,
  );
});
