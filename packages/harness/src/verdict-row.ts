/** Verdicts as rows of `quorumlab.result/1`: of simulated runs and of real processes alike. */
import type { VerdictWord } from '@quorumlab/checker';
import type { OptionValues } from '@quorumlab/core';
import type { CommitRow, Overlap } from './narrative.ts';
import type { Reads } from './read-words.ts';
import type { ShrinkStep } from './shrink.ts';

/** One row of `verdicts`: a protocol under an attack. */
export interface VerdictRow {
  readonly protocol: string;
  /** The wrong variant of it that ran; absent: the right one. */
  readonly mutant?: string;
  readonly n: number;
  readonly f: number;
  readonly attack: string;
  /** The protocol's own options of these runs, e.g. which variant it was; absent if none is set. */
  readonly options?: OptionValues;
  /** What reads promise, if that was told. */
  readonly reads?: Reads;
  /** What the operations were judged by, if it was told what reads promise. */
  readonly judged?: string;
  readonly word: VerdictWord;
  /** Runs by word, where there were many. */
  readonly words?: Readonly<Partial<Record<VerdictWord, number>>>;
  /** Whether the protocol's declared tolerance allows this word. */
  readonly expected: boolean;
  /** What makes it an experiment that no group should be: `UNSAFE: quorums of 2 set by hand`. */
  readonly unsafe?: string;
  /** Whether the protocol claims to survive these faults at all. */
  readonly claimed: boolean;
  /** Why it does not, in one sentence without its full stop. */
  readonly why?: string;
  readonly runs: number;
  readonly hits: number;
  /** Runs in which the attack really acted. */
  readonly fired: number;
  /** Says so if the attack never acted; then the word says nothing about it. */
  readonly note?: string;
  /** Which budget ended before an answer, and how to raise it, if the word is `inconclusive`. */
  readonly budget?: string;
  /** What to try instead, where these numbers can show little. */
  readonly hint?: string;
  /** 95 % upper bound on the rate of hits, in percent. */
  readonly upper95: number;
  readonly digest: string;
  readonly seed: string;
  readonly counterexample?: Counterexample;
  /** Who is convicted by what honest nodes have kept; absent: nobody, and nobody needs to be. */
  readonly guilt?: GuiltRow;
  /** What happened at the contested position, or the first that matters, in sentences. */
  readonly story?: readonly string[];
  /** Who stands behind what was committed there. */
  readonly overlap?: Overlap;
  /** What honest nodes committed, and by whose votes; the first of them where there are many. */
  readonly commits?: readonly CommitRow[];
}

/** Who has lied, and whether that is enough to explain what happened. */
export interface GuiltRow {
  readonly culprits: readonly { readonly member: number; readonly rule: string }[];
  /** Why fewer are convicted than it took to do what was done. */
  readonly notProvable?: string;
  /** The file of the proof, if one was written. */
  readonly proof?: string;
}

/** What went wrong, and how to see it again. */
export interface Counterexample {
  readonly rule: string;
  readonly sentence: string;
  readonly slot?: number;
  readonly seats: readonly number[];
  readonly events: number;
  readonly seed: string;
  /** The file it was written to, if it was. */
  readonly trace?: string;
  /** The command line that runs it again. */
  readonly replay: string;
  /** Who signed two statements of which only one may be signed. */
  readonly culprits: readonly number[];
  readonly proofs: readonly ProofRow[];
  /** The run that was found, if this one was made of it. */
  readonly first?: FirstRun;
  /** How it was made of that. */
  readonly shrunk?: ShrinkRecord;
}

/** The run of a counterexample before it was made smaller. */
export interface FirstRun {
  readonly seed: string;
  readonly events: number;
  /** The command line that runs it again. */
  readonly replay: string;
}

/** What shrinking did, pass by pass. */
export interface ShrinkRecord {
  /** Events before and after. */
  readonly before: number;
  readonly after: number;
  readonly tries: number;
  readonly steps: readonly ShrinkStep[];
}

/** Two signatures of one node that convict it. */
export interface ProofRow {
  readonly signer: number;
  readonly about: string;
  readonly first: Statement;
  readonly second: Statement;
}

/** One signed statement. */
export interface Statement {
  readonly kind: string;
  /** The operations in it, or those that its digest stands for: `put x=Ann`. */
  readonly what: string;
  /** In hexadecimal digits. */
  readonly signature: string;
}
