/** What is asked of a worker, and what it answers. */
import type { RunResult, Scenario, Tally } from '@quorumlab/harness';
import type { Marked } from '@quorumlab/lessons';
import type { Lecture } from './lecture.ts';
import type { Ran } from './ran.ts';

/** What a page asks of its worker; one worker answers one question. */
export type Question =
  | { readonly ask: 'run'; readonly scenario: Scenario }
  | { readonly ask: 'again'; readonly trace: string }
  | { readonly ask: 'cell'; readonly scenario: Scenario; readonly seeds: number }
  | { readonly ask: 'lesson'; readonly number: number }
  | { readonly ask: 'mark'; readonly number: number; readonly answer: string };

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
  | { readonly says: 'lesson'; readonly lecture: Lecture }
  | { readonly says: 'marked'; readonly marked: Marked }
  /** Sentences for people: what was asked cannot be. */
  | { readonly says: 'cannot'; readonly why: string };
