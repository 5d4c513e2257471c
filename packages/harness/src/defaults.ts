import { range } from '@quorumlab/core';
import { attackOf, leastLiars } from './attacks.ts';
import { defaultUntil } from './prepare.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf } from './protocols.ts';
import type { Scenario } from './scenario.ts';

/**
 * A scenario with everything that `given` leaves out filled in: the smallest group that survives
 * one fault, an honest run of 20 operations by two clients on a LAN, seed 42. An attack without
 * `by` strikes n0, and one beyond what the protocol tolerates as many more as that takes. Throws a
 * ScenarioError if the protocol is unknown.
 */
export function completeScenario(given: Partial<Scenario> & Pick<Scenario, 'protocol'>): Scenario {
  const { claims } = protocolOf(given.protocol);
  const f = given.f ?? (given.n === undefined ? 1 : largest(claims.replicas, given.n));
  const beyond = given.attack !== undefined && attackOf(given.attack).beyond === true;
  const liars = beyond ? leastLiars(given.attack ?? '', claims, f) : 1;
  return {
    schema: 'quorumlab.scenario/1',
    n: claims.replicas(f),
    network: 'lan',
    clocks: 'perfect',
    attack: 'none',
    by: given.attack === undefined || given.attack === 'none' ? [] : range(liars),
    faults: [],
    // Nobody reads in a contest.
    workload: given.reads === undefined ? 'contest' : 'b',
    count: 20,
    clients: 2,
    outstanding: 1,
    until: defaultUntil,
    crypto: 'ideal',
    seed: '42',
    ...given,
    f,
  };
}

/**
 * `scenario` once for each variant of its protocol, or alone if there are none or it names one
 * itself. The protocol may be `entry`, which is not registered.
 */
export function variantsOf(scenario: Scenario, entry?: ProtocolEntry): readonly Scenario[] {
  const { variants } = entry ?? protocolOf(scenario.protocol);
  if (variants === undefined || scenario.options?.[variants.option] !== undefined)
    return [scenario];
  return variants.values.map((value) => ({
    ...scenario,
    options: { ...scenario.options, [variants.option]: value },
  }));
}

/** What a protocol is told as people write it: `rules=chained q1=2 reads=stale`; or nothing. */
export const optionText = ({ options, reads }: Pick<Scenario, 'options' | 'reads'>): string =>
  Object.entries({ ...options, ...(reads === undefined ? {} : { reads }) })
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** The largest f that n replicas survive; 0 if they survive none. */
function largest(replicas: (f: number) => number, n: number): number {
  let f = 0;
  while (replicas(f + 1) <= n) f++;
  return f;
}
