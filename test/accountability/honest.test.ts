/**
 * Nobody honest is ever convicted: under every attack, by as many liars as are tolerated and by one
 * more; and judges that are wrong in one place are caught at it.
 */
import type { Breach, Tagged } from '@quorumlab/core';
import { range } from '@quorumlab/core';
import {
  attacks,
  completeScenario,
  leastLiars,
  type ProtocolEntry,
  protocolOf,
  protocols,
  runScenario,
  type Scenario,
  subjectsOf,
  swarmWorld,
  tooFewTraitors,
  tooManyLiars,
  variantsOf,
} from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';

const seeds = process.env.QUORUMLAB_LONG_TESTS === '1' ? 100 : 1;

/** Each attack of liars on a protocol, by as many as it survives and by one more. */
function treasons(protocol: string, seed: number): readonly Scenario[] {
  const { claims } = protocolOf(protocol);
  return attacks
    .filter(({ needs }) => needs === 'byzantine')
    .flatMap(({ name }) => {
      const { f } = completeScenario({ protocol, attack: name });
      return [tooManyLiars(claims, f) - 1, tooManyLiars(claims, f)]
        .filter((liars) => liars > 0)
        .map((liars) =>
          completeScenario({
            ...{ protocol, attack: name, seed: `${seed}`, count: 6 },
            by: range(liars).map((i) => (i + seed) % (3 * f + 1)),
          }),
        );
    })
    .filter((scenario) => tooFewTraitors(scenario) === undefined)
    .flatMap((scenario) => variantsOf(scenario));
}

const byzantine = protocols.filter(({ claims }) => claims.faults === 'byzantine');

describe.each(byzantine.map(({ name }) => name))('%s', (protocol) => {
  test('whoever is convicted is a liar, and a fork convicts as many as it takes', () => {
    for (let seed = 0; seed < seeds; seed++)
      for (const scenario of treasons(protocol, seed)) {
        const { guilt, word } = runScenario(scenario, { proofs: true });
        const again = `runScenario(${JSON.stringify(scenario)}, { proofs: true })`;
        const convicted = guilt.culprits.map(({ signer }) => signer);
        expect(scenario.by, again).toEqual(expect.arrayContaining(convicted));
        if (word !== 'forked') continue;
        // Where too few are convicted, words say why; where locks are signed, enough always are.
        const enough = leastLiars(scenario.attack, protocolOf(protocol).claims, scenario.f);
        expect(convicted.length >= enough, again).toBe(guilt.notProvable === undefined);
        if (protocolOf(protocol).create({ n: scenario.n, f: scenario.f }).breaches !== undefined)
          expect(guilt.notProvable, again).toBeUndefined();
      }
  });
});

interface Report extends Tagged {
  readonly view: number;
  readonly sequence: number;
  readonly digest: string;
  readonly checkpoint: { readonly sequence: number } | null;
  readonly prepared: readonly { readonly sequence: number; readonly view: number }[];
}
type Two = (one: Report, other: Report) => boolean;
const claimOf = (one: Report, { prepared }: Report) =>
  prepared.find(({ sequence }) => sequence === one.sequence);
const isCovered = (one: Report, { checkpoint }: Report): boolean =>
  (checkpoint?.sequence ?? 0) >= one.sequence;

/** Judges of PBFT that are wrong in one place, and a world in which that accuses the honest. */
const flawed: readonly (readonly [string, string, string, number, Two])[] = [
  [
    'takes a number below the checkpoint for one that is not reported',
    'commit',
    'view-change',
    2,
    (one, other) => other.view > one.view && (claimOf(one, other)?.view ?? -1) < one.view,
  ],
  [
    'wants the report to name the view of the commit, and no later one',
    'commit',
    'view-change',
    4,
    (one, other) =>
      other.view > one.view && !isCovered(one, other) && claimOf(one, other)?.view !== one.view,
  ],
  [
    'does not see that a number may be prepared anew in another view',
    'prepare',
    'commit',
    4,
    (one, other) => one.sequence === other.sequence && one.digest !== other.digest,
  ],
];

test.each(flawed)('a judge that %s accuses somebody honest', (_, one, other, seed, isLie) => {
  const [subject] = subjectsOf('pbft');
  if (subject === undefined) throw new Error('there is one');
  const wrong: Breach<Tagged> = {
    kinds: [one, other],
    why: (first, second) => (isLie(first as Report, second as Report) ? 'lied' : undefined),
  };
  const right = protocolOf('pbft');
  const entry: ProtocolEntry = {
    ...right,
    create: (...size) => ({ ...right.create(...size), breaches: [wrong] as never }),
  };
  const { scenario, emptied } = swarmWorld(subject, seed);
  const mayBe = [...scenario.by, ...emptied];
  const accused = (run: ReturnType<typeof runScenario>) =>
    run.guilt.culprits.filter(({ signer }) => !mayBe.includes(signer));
  expect(accused(runScenario(scenario, { proofs: true, entry }))).not.toEqual([]);
  expect(accused(runScenario(scenario, { proofs: true }))).toEqual([]);
});
