/** What is asked of a worker, and what it answers. */
import type { RunResult, Scenario, ShrinkProgress, Tally } from '@quorumlab/harness';
import type { Marked } from '@quorumlab/lessons';
import type { Lecture } from './lecture.ts';
import type { Ran } from './ran.ts';

/** What a page asks of its worker; one worker answers one question. */
export type Question =
  | { readonly ask: 'run'; readonly scenario: Scenario }
  | { readonly ask: 'again'; readonly trace: string }
  /** Runs what a link of shards says. */
  | { readonly ask: 'shards'; readonly hash: string }
  | { readonly ask: 'cell'; readonly scenario: Scenario; readonly seeds: number }
  /** Looks for the first seed with a violation. */
  | {
      readonly ask: 'search';
      readonly scenario: Scenario;
      readonly seeds: number;
      /** How many of them have been looked at. */
      readonly from?: number;
    }
  /** Makes a run that violates something smaller. */
  | { readonly ask: 'shrink'; readonly scenario: Scenario }
  /** Runs with the lie that stands in the worker as `quorumlabLie`. */
  | { readonly ask: 'own'; readonly scenario: Scenario; readonly script: string }
  | { readonly ask: 'lesson'; readonly number: number }
  | { readonly ask: 'settle'; readonly number: number }
  | { readonly ask: 'mark'; readonly number: number; readonly answer: string };

/** What one run says to a statement, and how to see it again. */
export interface Reason {
  readonly reason: string;
  readonly command: string;
}

/** Runs of one attack against one protocol. */
export interface Cell {
  readonly tally: Tally;
  readonly word: RunResult['word'];
  /** Whether the protocol claims to survive it. */
  readonly claimed: boolean;
}

/** What the worker says. */
export type Answer =
  | { readonly says: 'ran'; readonly ran: Ran }
  /** `differs`: where a trace is not that of its scenario; nothing if every line is the same. */
  | { readonly says: 'again'; readonly ran: Ran; readonly differs: string | undefined }
  | { readonly says: 'cell'; readonly cell: Cell; readonly isWhole: boolean }
  /** How far a search has come, and the seed that it has found. */
  | {
      readonly says: 'searched';
      readonly runs: number;
      readonly seed: string | undefined;
      readonly isWhole: boolean;
    }
  | {
      readonly says: 'shrunk';
      readonly ran: Ran | undefined;
      readonly before: number;
      readonly after: number;
      readonly tries: number;
      readonly isWhole: boolean;
    }
  /** How far making a run smaller has come. */
  | (ShrinkProgress & { readonly says: 'tried'; readonly isWhole: false })
  /** Something is under way, and nothing is known yet. */
  | { readonly says: 'alive'; readonly isWhole: false }
  /** Sentences for people: what was under way stood still, or has been begun again. */
  | { readonly says: 'meanwhile'; readonly what: string; readonly isWhole: false }
  | { readonly says: 'lesson'; readonly lecture: Lecture }
  /** Whether a statement of the quiz holds, and what its runs came to. */
  | { readonly says: 'settled'; readonly holds: boolean; readonly reasons: readonly Reason[] }
  | { readonly says: 'marked'; readonly marked: Marked }
  /** Sentences for people: what was asked cannot be. */
  | { readonly says: 'cannot'; readonly why: string };

/** What hears of something that is under way, at once. */
export type Tell = (answer: Answer & { readonly isWhole: false }) => void;

/** Whether nothing comes behind an answer. */
export const isLast = (answer: Answer): boolean => !('isWhole' in answer) || answer.isWhole;
