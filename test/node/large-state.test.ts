/**
 * What a state of 1 GiB costs groups of real processes with default options. It takes minutes, so
 * it is asked for with QUORUMLAB_LONG_TESTS=1; `packages/log/src/snapshot-work.test.ts` is the same
 * in small and in the simulated world. QUORUMLAB_MEBIBYTES is the size of the state.
 */
import { describe, expect, test } from 'vitest';
import { largeStory } from './support/large.ts';

const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
const mebibytes = Number(process.env.QUORUMLAB_MEBIBYTES ?? 1024);
/** What a process has without any state: Node, libp2p, and what waits on the way. */
const processBytes = 192;

describe.runIf(isLong)('a group of processes with a large state', () => {
  test.each([
    ['raft', 3],
    ['pbft', 4],
  ])(
    '%s takes snapshots, restarts, and brings an emptied member back under load',
    async (name, n) => {
      const { chapters, elections, memory } = await largeStory(name, n, mebibytes, console.log);
      const share = (memory / mebibytes).toFixed(2);
      console.log(
        `${name}: ${elections} elections, ${memory} MiB at most, ${share} times the state`,
      );
      const all = chapters.flatMap(({ reports }) => reports);
      expect(all.map(({ failure }) => failure).join('')).toBe('');
      expect(elections).toBe(0);
      expect(memory).toBeLessThan(1.5 * mebibytes + processBytes);
    },
    3_600_000,
  );
});
