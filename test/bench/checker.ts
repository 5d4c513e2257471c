/** Judging a sound history of many clients, beside one walk over the same calls by the model. */

import {
  type Call,
  checkLinearizable,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '@quorumlab/checker';
import { range } from '@quorumlab/core';
import { cpuRate, inTurns, type Part, sink } from './measure.ts';

type RegisterCall = Call<RegisterInput<number>, RegisterOutput<number>>;

const register = registerModel<number>();
/** So many processes have a call under way at any time. */
const processes = 41;

/** Calls that overlap, and answer as if each had run when it returned. */
function overlapping(count: number): readonly RegisterCall[] {
  let value: number | undefined;
  return range(count).map((i) => {
    const read = i % 3 === 0;
    if (!read) value = i;
    return {
      process: i % processes,
      invokedAt: Math.max(0, i - processes),
      returnedAt: i,
      input: read ? { kind: 'read' } : { kind: 'write', value: i },
      output: read ? value : undefined,
    };
  });
}

/** Histories of one register. */
export const checker: Part = async ({ quick }) => {
  const calls = overlapping(quick ? 10_000 : 100_000);
  const seconds = quick ? 0.2 : 1;
  const judge = (): void => {
    const found = checkLinearizable(register, calls);
    if (found.verdict !== 'linearizable') throw new Error('a sound history was refused');
  };
  const walk = (): void => {
    let state = register.initial;
    for (const { input, output } of calls) state = register.step(state, input, output) ?? state;
    sink.value = state;
  };
  const perCall = calls.length / 1e6;
  const found = await inTurns(quick ? 3 : 5, {
    judge: () => cpuRate(seconds, judge, 1) * perCall,
    walk: () => cpuRate(seconds, walk, 1) * perCall,
  });
  return [
    {
      part: 'checker',
      name: `judge ${calls.length} calls of ${processes} processes`,
      value: found.judge,
      unit: 'M/s',
      limit: { name: 'the model alone, in the right order', value: found.walk },
    },
  ];
};
