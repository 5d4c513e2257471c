/** One step of a service: what it asks for, beside what its protocol asks for. */
import { type AllowedRead, type Event, type Input, idle, type Output } from '@quorumlab/core';
import { follow, goOn } from './delivery.ts';
import type { Run, Step, StepOutputs } from './replica-state.ts';
import type { LogShape, Serviced } from './types.ts';

/** The fast path: what the protocol says goes out as it is unless it asks something of us. */
export function pass<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  event: Event<S>,
): Output<Serviced<S>> {
  const output = run.inner.step(
    event === input.event
      ? (input as unknown as Input<S>)
      : { now: input.now, clock: input.clock, event },
  );
  const { decisions, tentative, reads, fetches } = output;
  if (decisions.length + tentative.length + reads.length + fetches.length === 0)
    return asServiced(output);
  return finish({ run, input, out: newOutputs(run, [output]) });
}

/** An output of the protocol is one of the service: every union of the service contains its own. */
const asServiced = <S extends LogShape>(output: Output<S>): Output<Serviced<S>> =>
  output as unknown as Output<Serviced<S>>;

const newOutputs = <S extends LogShape>(run: Run<S>, outputs: Output<S>[]): StepOutputs<S> => ({
  outputs,
  writes: [],
  sends: [],
  timers: [],
  applied: [],
  answers: [],
  work: run.stepBytes,
  status: undefined,
});

/** A step in which the service itself acts first. */
export function within<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  act: (step: Step<S>) => void,
): Output<Serviced<S>> {
  const step: Step<S> = { run, input, out: newOutputs(run, []) };
  act(step);
  return finish(step);
}

function finish<S extends LogShape>(step: Step<S>): Output<Serviced<S>> {
  const { out } = step;
  follow(step);
  goOn(step);
  const { outputs, writes, sends, timers, applied, answers } = out;
  if (outputs.length + writes.length + sends.length + timers.length + answers.length === 0)
    return idle();
  const inner = outputs.length === 1 ? (outputs[0] as Output<S>) : joinedOutputs(outputs);
  // What the service adds is typed for any protocol; it names only the service's own parts.
  const own = { writes, sends, timers } as unknown as Output<S>;
  return asServiced<S>({
    early: inner.early,
    writes: joined(inner.writes, own.writes),
    sends: joined(inner.sends, own.sends),
    timers: joined(inner.timers, own.timers),
    decisions: inner.decisions,
    tentative: inner.tentative,
    reads: inner.reads.length === 0 ? inner.reads : hostReads(inner.reads),
    fetches: idle<S>().fetches,
    accusations: inner.accusations,
    lines: inner.lines,
    applied,
    answers,
  });
}

/** Reads of the host, under the numbers it gave them; even numbers were the service's own. */
const hostReads = (reads: readonly AllowedRead[]): AllowedRead[] =>
  reads.filter(({ id }) => id % 2 === 1).map(({ id, upTo }) => ({ id: (id - 1) / 2, upTo }));

/** Outputs of consecutive steps as one. */
function joinedOutputs<S extends LogShape>(outputs: readonly Output<S>[]): Output<S> {
  if (outputs.length === 0) return idle();
  return {
    ...idle<S>(),
    early: outputs.flatMap((each) => each.early),
    writes: outputs.flatMap((each) => each.writes),
    sends: outputs.flatMap((each) => each.sends),
    timers: outputs.flatMap((each) => each.timers),
    decisions: outputs.flatMap((each) => each.decisions),
    tentative: outputs.flatMap((each) => each.tentative),
    reads: outputs.flatMap((each) => each.reads),
    accusations: outputs.flatMap((each) => each.accusations),
    lines: outputs.flatMap((each) => each.lines),
  };
}

// Lists are only copied where two of them have to become one: this runs for every decision.
const joined = <T>(first: readonly T[], second: readonly T[]): readonly T[] =>
  second.length === 0 ? first : first.length === 0 ? second : [...first, ...second];
