/** Every check of every protocol is attacked in random worlds: see refusals.ts. */
import { range } from '@quorumlab/core';
import {
  type ProtocolEntry,
  protocolOf,
  protocols,
  runScenario,
  type Scenario,
  type Subject,
  subjectsOf,
  swarmWorld,
} from '@quorumlab/harness';
import { attacked } from '@quorumlab/harness/testing';
import { expect, test } from 'vitest';
import { type Refusal, type Refusals, refusals } from './refusals.ts';

const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
const worlds = isLong ? 60 : 6;
/** Which worlds meet a row depends on all that happens in them: so many more are tried at most. */
const mostWorlds = 4 * worlds;

const nothing: Refusals = { fromAnybody: [], refused: [] };

/** Per attack of the table, how often it was tried and what it did. */
interface Tried {
  count: number;
  readonly effects: Set<string>;
}

function attackedIn(subject: Subject): ReadonlyMap<string, Tried> {
  const entry = protocolOf(subject.protocol);
  const { fromAnybody, refused, presence = [] } = refusals[entry.name] ?? nothing;
  const present = new Set(presence.map((name) => `keeps ${name}`));
  const listed = new Map<string, Refusal>();
  const { options: told } = subject;
  const { messages } = entry.create({ n: entry.claims.replicas(1), f: 1, options: told });
  // Some messages are of one rule set only.
  const spoken = refused.filter(({ kind }) => messages.of(kind) !== undefined);
  for (const refusal of spoken)
    for (const each of refusal.attacks) listed.set(`${refusal.kind} ${each}`, refusal);
  const stranger = (attack: string): boolean =>
    attack.endsWith(' from a client') && !fromAnybody.includes(attack.split(' ')[0] ?? '');
  const seen = new Map<string, Tried>();
  for (const [attack, { seldom }] of listed)
    if (isLong || seldom !== true) seen.set(attack, { count: 0, effects: new Set() });
  let options: Scenario['options'];
  const create: ProtocolEntry['create'] = (size, mutant) =>
    attacked(entry.create(size, mutant), {
      perSituation: 1,
      wants: (attack) => listed.has(attack) || stranger(attack),
      reacted({ attack, effects, sent, before }) {
        const one = attack.replace(/, by two$/, '');
        const refusal = listed.get(one);
        if (one !== attack && refusal?.alone === true) return;
        if (
          refusal?.where?.({ sent, state: { ...before.stable, ...before.volatile }, options }) ===
          false
        )
          return;
        const tried = seen.get(one) ?? { count: 0, effects: new Set() };
        seen.set(one, tried);
        tried.count++;
        for (const effect of effects)
          if (stranger(one) || !present.has(effect)) tried.effects.add(effect);
      },
    });
  const isTried = (): boolean => [...seen.values()].every(({ count }) => count > 0);
  for (const i of range(mostWorlds)) {
    if (i >= worlds && isTried()) break;
    const { scenario } = swarmWorld(subject, i + 1);
    ({ options } = scenario);
    runScenario(scenario, { entry: { ...entry, create } });
  }
  return seen;
}

for (const subject of protocols.flatMap(({ name }) => subjectsOf(name)))
  test(`${subject.name}: what is refused changes nothing, says nothing and decides nothing`, () => {
    const seen = attackedIn(subject);
    const took = [...seen].filter(([, { effects }]) => effects.size > 0);
    expect(took.map(([attack, { effects }]) => `${attack}: ${[...effects].join(', ')}`)).toEqual(
      [],
    );
    // A row that is never tried says nothing.
    expect([...seen].filter(([, { count }]) => count === 0).map(([attack]) => attack)).toEqual([]);
  });
