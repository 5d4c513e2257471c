/** Runs that are written down word for word: see `runs/`. */
import {
  type Scene as SceneOf,
  type Sheet,
  type Told as ToldOf,
  teller,
  textOf,
  type Which as WhichOf,
} from '@quorumlab/protocol-testing';
import { type Epaxos, type EpaxosOptions, epaxos, type Runs, type Value } from '../src/index.ts';
import { type Cluster, cluster } from './cluster.ts';

/** Which messages. */
export type Which = WhichOf<Epaxos>;
/** A group, and the text of what it does. */
export type Told = ToldOf<Epaxos, Cluster>;
/** One run in a group of its own. */
export type Scene = SceneOf<Epaxos, Cluster, EpaxosOptions>;

/** Runs of instances as `0x2`: two of one command leader, from 0 on; values as their commands. */
function words(value: object): string | undefined {
  const { from, count, kind, commands } = value as Partial<Runs[number] & Value>;
  if (from !== undefined && count !== undefined) return `${from}x${count}`;
  if (kind === undefined || commands === undefined) return undefined;
  return kind === 'commands' ? textOf(commands) : kind;
}

/** Writes these runs down, one after the other. */
export const tell: (scenes: readonly Scene[], sheet: Sheet) => void = teller({
  protocol: epaxos,
  group: cluster,
  words,
  // The names of commands differ from run to run: only in how many places each is.
  instead: ({ places }) => ({ places: [...places.values()] }),
});
