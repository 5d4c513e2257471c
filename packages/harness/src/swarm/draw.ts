/** How random worlds are drawn. */
import type { Random } from '@quorumlab/core';
import type { OptionValues } from '../scenario.ts';

/** The group for which options are drawn. */
export interface DrawnGroup {
  readonly n: number;
  readonly f: number;
  readonly told: OptionValues;
  /** The world is a rare one: all limits at their smallest, so that they are met all the time. */
  readonly narrow?: boolean;
}

/**
 * Draws options of a protocol's own for one world of a swarm: small windows, short timeouts,
 * snapshots after every few slots. Whatever it draws must be allowed on that network.
 */
export type DrawOptions = (random: Random, network: string, group: DrawnGroup) => OptionValues;

/** One of `choices`. */
export const one = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.below(choices.length)] as T;

/** A number from `least` to `most`, both included. */
export const between = (random: Random, least: number, most: number): number =>
  least + random.below(most - least + 1);
