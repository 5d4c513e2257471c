/** What the parent of the hostile rows and the attacker say to each other. */
import type { PrincipalJson } from '../cluster/shared.ts';
import type { Facts, Variant } from './forge.ts';

/** What no schema knows: below the messages, or a pattern of them. */
export const specials = [
  'control',
  'zeros',
  'strangers',
  'silent-sockets',
  'no-reader',
  'slow-reader',
  'pings',
  'streams',
  'crumbs',
  'heartbeats',
] as const;

/** One thing that an attacker does; `kind` is that of a message, or of several with commas. */
export type Attack =
  | { readonly special: (typeof specials)[number] }
  | { readonly kind: string; readonly variant: Variant | 'mixed' };

/** Parent to attacker. */
export type AttackerAsk =
  | {
      readonly type: 'start';
      readonly protocol: string;
      readonly n: number;
      readonly principals: readonly PrincipalJson[];
      readonly self: number;
      readonly secretKey: string;
    }
  | { readonly type: 'prepare'; readonly attack: Attack; readonly facts: Facts }
  | {
      readonly type: 'go';
      readonly milliseconds: number;
      /** Share of one core that the attacker may use: it is not what is measured. */
      readonly share: number;
    }
  | { readonly type: 'end' };

/** Attacker to parent. */
export type AttackerTold =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'prepared'; readonly frames: number }
  | {
      readonly type: 'done';
      readonly frames: number;
      readonly bytes: number;
      /** User and system time in microseconds. */
      readonly cpu: number;
    };
