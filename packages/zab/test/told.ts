/** Runs that are written down word for word: see `runs/`. */
import {
  type Scene as SceneOf,
  type Sheet,
  type Told as ToldOf,
  teller,
  textOf,
} from '@quorumlab/protocol-testing';
import { type Transaction, type Zab, type ZabOptions, type Zxid, zab } from '../src/index.ts';
import { type Cluster, cluster } from './cluster.ts';

/** A group, and the text of what it does. */
export type Told = ToldOf<Zab, Cluster>;
/** One run in a group of its own. */
export type Scene = SceneOf<Zab, Cluster, ZabOptions>;

/** A zxid as `3.7`, and a transaction as `3:x`: its epoch and what is in it. */
function words(value: object): string | undefined {
  const { epoch, counter, command } = value as Partial<Zxid & Transaction>;
  if (epoch === undefined || Object.keys(value).length !== 2) return undefined;
  if (counter !== undefined) return `${epoch}.${counter}`;
  if (command === undefined) return undefined;
  return `${epoch}:${command === null ? 'no-op' : textOf([command])}`;
}

/** Writes these runs down, one after the other. */
export const tell: (scenes: readonly Scene[], sheet: Sheet) => void = teller({
  protocol: zab,
  group: cluster,
  words,
  // The names of requests differ from run to run: only how many there are.
  instead: ({ uncommitted }) => ({ uncommitted: uncommitted.size }),
});
