/**
 * Networks as data: per link a distribution of delays in integer microseconds, loss, duplication
 * and order. All sampling is integer arithmetic on the run's one decision stream.
 */
import type { Instant, PrincipalId, Random } from '@quorumlab/core';

/** A distribution of delays, in integer microseconds. */
export type DelayModel =
  | { readonly type: 'constant'; readonly delay: number }
  /** From `min` to `max`, both included. */
  | { readonly type: 'uniform'; readonly min: number; readonly max: number }
  /** Ascending quantiles of equal probability, linear in between: an inverse CDF. */
  | { readonly type: 'table'; readonly quantiles: readonly number[] };

/** One direction of one link. */
export interface LinkModel {
  readonly delay: DelayModel;
  /** Messages lost, of a million. None unless told. */
  readonly lossPerMillion?: number;
  /** Messages that arrive twice, of a million, each copy with its own delay. None unless told. */
  readonly duplicatePerMillion?: number;
  /** Nothing overtakes, as in one TCP connection. Off unless told: delays are independent. */
  readonly fifo?: boolean;
  /** Whatever delay was drawn, nothing arrives after this instant if it was sent before it. */
  readonly arriveBy?: Instant;
}

/** How the links behave from an instant on. */
export interface NetworkPhase {
  readonly from: Instant;
  /** Must answer with the same, unchanging model whenever it is asked about the same pair. */
  readonly link: (from: PrincipalId, to: PrincipalId) => LinkModel;
}

/** A network: its phases in ascending order, the first from 0. */
export interface NetworkModel {
  readonly name: string;
  readonly phases: readonly NetworkPhase[];
  /** From here on the network keeps its promises (the global stabilisation time); 0 unless told. */
  readonly stableFrom?: Instant;
}

/** Steps into which {@link sampleDelay} divides the space between two quantiles. */
const between = 1024;

/** A delay in microseconds; one decision, 0 being the smallest delay, or none if it is constant. */
export function sampleDelay(random: Random, model: DelayModel): number {
  if (model.type === 'uniform') return model.min + random.below(model.max - model.min + 1);
  if (model.type === 'constant') return model.delay;
  const { quantiles } = model;
  const drawn = random.below((quantiles.length - 1) * between);
  const place = Math.floor(drawn / between);
  const low = quantiles[place] as number;
  const high = quantiles[place + 1] as number;
  return low + Math.floor(((high - low) * (drawn % between)) / between);
}

/** Whether something that happens `perMillion` times in a million happens; decision 0 means no. */
export const happens = (random: Random, perMillion: number): boolean =>
  perMillion > 0 && random.below(1_000_000) >= 1_000_000 - perMillion;

/** The same link between any two, for ever. */
export function uniformNetwork(name: string, link: LinkModel): NetworkModel {
  return { name, phases: [{ from: 0, link: () => link }] };
}

/** One switch between machines of one room: 100 to 300 microseconds, nothing lost, in order. */
export const lan: NetworkModel = uniformNetwork('lan', {
  delay: { type: 'uniform', min: 100, max: 300 },
  fifo: true,
});

/**
 * Datagrams in a bad room: most take 0.1 to 0.5 ms, one in 16 up to 50 ms; 5 % lost, 2 % twice,
 * any order.
 */
export const lossy: NetworkModel = uniformNetwork('lossy', {
  delay: {
    type: 'table',
    quantiles: [
      100, 125, 150, 175, 200, 225, 250, 275, 300, 325, 350, 375, 400, 425, 450, 500, 50_000,
    ],
  },
  lossPerMillion: 50_000,
  duplicatePerMillion: 20_000,
});

/** Five regions, in the order of {@link wan}'s matrix. */
export const wanRegions: readonly string[] = [
  'us-east',
  'us-west',
  'eu-west',
  'ap-northeast',
  'ap-southeast',
];

/** One-way delays between {@link wanRegions}: half of public clouds' round trips, in µs. */
const wanDelays: readonly (readonly number[])[] = [
  [250, 31_000, 35_000, 75_000, 108_000],
  [31_000, 250, 66_000, 54_000, 86_000],
  [35_000, 66_000, 250, 106_000, 82_000],
  [75_000, 54_000, 106_000, 250, 35_000],
  [108_000, 86_000, 82_000, 35_000, 250],
];

/** Replicas and clients spread over five regions by number; up to 1/16 of jitter, in order. */
export const wan: NetworkModel = ((): NetworkModel => {
  const links = wanDelays.map((row) =>
    row.map((delay): LinkModel => {
      const jitter = Math.floor(delay / 16);
      return { delay: { type: 'uniform', min: delay, max: delay + jitter }, fifo: true };
    }),
  );
  const n = wanRegions.length;
  return {
    name: 'wan',
    phases: [
      { from: 0, link: (from, to) => (links[from % n] as LinkModel[])[to % n] as LinkModel },
    ],
  };
})();

/** What {@link partiallySynchronous} needs to know, in microseconds. */
export interface PartialSynchrony {
  /** The global stabilisation time. */
  readonly gst: Instant;
  /** Longest delay from then on (Δ). */
  readonly delta: number;
  /** Longest delay before; 20 Δ unless told. */
  readonly worst?: number;
  /** Messages lost before, of a million; 100,000 unless told. */
  readonly lossPerMillion?: number;
}

/**
 * Dwork, Lynch and Stockmeyer's partial synchrony: before GST any delay up to `worst` and loss;
 * after it every message arrives within Δ, and so does by GST + Δ whatever was under way.
 */
export function partiallySynchronous(model: PartialSynchrony): NetworkModel {
  const { gst, delta } = model;
  const before: LinkModel = {
    delay: { type: 'uniform', min: 100, max: Math.max(100, model.worst ?? 20 * delta) },
    lossPerMillion: model.lossPerMillion ?? 100_000,
    duplicatePerMillion: 10_000,
    arriveBy: gst + delta,
  };
  const low = Math.min(100, delta);
  const after: LinkModel = { delay: { type: 'uniform', min: low, max: delta } };
  return {
    name: 'psync',
    stableFrom: gst,
    phases: [
      { from: 0, link: () => before },
      { from: gst, link: () => after },
    ],
  };
}

/**
 * No bound that a protocol could know: delays are spread evenly over the orders of magnitude from
 * 64 microseconds to 16 seconds, so any message can be overtaken by thousands; 1 % arrive twice.
 * Nothing is lost, because the asynchronous model promises arrival at last.
 */
export const asynchronous: NetworkModel = {
  name: 'async',
  stableFrom: Number.MAX_SAFE_INTEGER,
  phases: [
    {
      from: 0,
      link: (
        (link: LinkModel) => () =>
          link
      )({
        delay: { type: 'table', quantiles: Array.from({ length: 19 }, (_, i) => 2 ** (i + 6)) },
        duplicatePerMillion: 10_000,
      }),
    },
  ],
};
