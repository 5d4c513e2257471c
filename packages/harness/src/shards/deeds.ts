/** What a workload asks of a world of shards: plain data. */
import type { Fault } from '@quorumlab/sim';

/** Something that is asked of a world. */
export type Deed =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | {
      readonly kind: 'append';
      readonly at: number;
      readonly client: number;
      readonly appends: readonly string[];
      readonly reads: readonly string[];
    }
  | {
      readonly kind: 'read';
      readonly at: number;
      readonly client: number;
      readonly keys: readonly string[];
      readonly timestamp: number | undefined;
    }
  | {
      readonly kind: 'split' | 'merge';
      readonly at: number;
      readonly client: number;
      /** The key at which two ranges meet then, or no longer. */
      readonly border: string;
    }
  | {
      readonly kind: 'move';
      readonly at: number;
      readonly client: number;
      readonly first: string;
      readonly from: number;
      readonly to: number;
    };
