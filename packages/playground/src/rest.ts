/** What the first screen does not need: all other pages, all other protocols, all lessons. */
import { ScenarioError } from '@quorumlab/harness';
import { wordsOf } from '@quorumlab/harness/shards';
import { lessonOf } from '@quorumlab/lessons';
import { Clocks } from '@quorumlab/trace-view';
import { Compare } from './compare.ts';
import { act } from './editing.ts';
import { Exports } from './exports.ts';
import { Learn } from './learn.ts';
import { TracePage } from './open-trace.ts';
import { Embed, Play } from './play.ts';
import { answer } from './runs.ts';
import { ShardsPage } from './shards-page.ts';
import type { Rest } from './state.ts';
import { completeRegistry } from './whole-registry.ts';
import type { Answers } from './worker.ts';

completeRegistry();

/** All of it. */
export const rest: Rest & Answers = {
  pages: {
    ...{ play: Play, embed: Embed, compare: Compare },
    ...{ trace: TracePage, learn: Learn, shards: ShardsPage },
  },
  ...{ Clocks, Exports, act },
  ...{ answer, wordsOf },
  lessonIn(part) {
    try {
      return lessonOf(part).number;
    } catch (error) {
      if (error instanceof ScenarioError) return error.message;
      throw error;
    }
  },
};
