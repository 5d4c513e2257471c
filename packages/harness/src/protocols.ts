import type { Claims } from '@quorumlab/core';
import type { ProtocolEntry } from './protocol-entry.ts';
import { entries } from './registry.ts';
import { nearest, requireNewName, ScenarioError, unknownName } from './scenario.ts';

/** All protocols: crash-fault ones first, and those that were registered last. */
export const protocols: readonly ProtocolEntry[] = entries;

const ours = entries.length;

/** Whether every installation has the protocol called `name`: it was not registered. */
export const isOurProtocol = (name: string): boolean =>
  entries.slice(0, ours).some((each) => each.name === name);

/**
 * Lets scenarios name one protocol more, until what it returns is called. Throws a ScenarioError
 * (QL117) if its name is taken.
 */
export function registerProtocol(entry: ProtocolEntry): () => void {
  requireNewName(
    'protocol',
    entry.name,
    entries.map(({ name }) => name),
  );
  entries.push(entry);
  return () => void entries.splice(entries.indexOf(entry), 1);
}

/** The protocol called `name`; throws a ScenarioError with near names if there is none. */
export function protocolOf(name: string): ProtocolEntry {
  const found = entries.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = entries.map((each) => each.name);
  const { code, message } = unknownName('protocol', name, names);
  if (name === 'shards')
    throw new ScenarioError(
      'QL101',
      'shards are groups of a protocol, and none themselves.\n' +
        '  use   quorumlab shards   to run them',
    );
  const own = '\n  use   --with FILE   if it is your own: the file that exports its entry';
  throw new ScenarioError(code, nearest(name, names).length > 0 ? message : message + own);
}

/** `2f+1` or `3f+1`. */
export const formulaOf = ({ replicas }: Claims): string => `${replicas(1) - 1}f+1`;

/** How many faulty members n replicas survive by the protocol's claim. */
export function toleratedBy(claims: Claims, n: number): number {
  let f = 0;
  while (claims.replicas(f + 1) <= n) f++;
  return f;
}

/** Throws a ScenarioError (QL104) unless n replicas are enough for f faults. */
export function requireSize({ name, claims }: ProtocolEntry, n: number, f: number): void {
  const need = claims.replicas(f);
  if (n >= need) return;
  const formula = formulaOf(claims);
  const whom = claims.faults === 'crash' ? 'crashes' : 'traitors';
  throw new ScenarioError(
    'QL104',
    `${name} needs n ≥ ${formula}, so n=${n} tolerates ${toleratedBy(claims, n)} ${whom}, ` +
      `not ${f}.\n` +
      `  use   -n ${need}\n  or    --unsafe-n   to see what breaks\n` +
      `  or    quorumlab quorums ${name} -n ${n} -f ${f}   to see why`,
  );
}
