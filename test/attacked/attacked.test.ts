/** Every check of every protocol is attacked in random worlds: see refusals.ts. */
import { range } from '@quorumlab/core';
import {
  type ProtocolEntry,
  protocolOf,
  protocols,
  runScenario,
  type Subject,
  subjectsOf,
  swarmWorld,
} from '@quorumlab/harness';
import { attacked } from '@quorumlab/harness/testing';
import { expect, test } from 'vitest';
import { type Refusals, refusals } from './refusals.ts';

const worlds = process.env.QUORUMLAB_LONG_TESTS === '1' ? 60 : 6;

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
  const listed = new Map<string, boolean>();
  for (const { kind, attacks, alone } of refused)
    for (const each of attacks) listed.set(`${kind} ${each}`, alone === true);
  const stranger = (attack: string): boolean =>
    attack.endsWith(' from a client') && !fromAnybody.includes(attack.split(' ')[0] ?? '');
  const seen = new Map<string, Tried>();
  for (const attack of listed.keys()) seen.set(attack, { count: 0, effects: new Set() });
  const create: ProtocolEntry['create'] = (size, mutant) =>
    attacked(entry.create(size, mutant), {
      perSituation: 1,
      wants: (attack) => listed.has(attack) || stranger(attack),
      reacted({ attack, effects }) {
        const one = attack.replace(/, by two$/, '');
        if (one !== attack && listed.get(one) === true) return;
        const tried = seen.get(one) ?? { count: 0, effects: new Set() };
        seen.set(one, tried);
        tried.count++;
        for (const effect of effects)
          if (stranger(one) || !present.has(effect)) tried.effects.add(effect);
      },
    });
  for (const i of range(worlds))
    runScenario(swarmWorld(subject, i + 1).scenario, { entry: { ...entry, create } });
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
