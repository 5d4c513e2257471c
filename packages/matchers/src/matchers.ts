import { checkLinearizable, type Linearizability } from '@quorumlab/checker';
import { type RunResult, type Scenario, search } from '@quorumlab/harness';
import { culpritsOf, nodes, report } from './report.ts';
import { runnableOf, runOf, SubjectError, toldAgain } from './subject.ts';

/** What a matcher says: vitest's and every other runner's with `expect.extend`. */
export interface Matched {
  readonly pass: boolean;
  readonly message: () => string;
}

/** How much {@link matchers.toSurvive} tries, and what of the scenarios is not usual. */
export interface SurvivalOptions extends Partial<Scenario> {
  /** Runs, each with another seed. 25 unless told. */
  readonly seeds?: number;
}

/** What {@link matchers.toBeLinearizable} can judge besides runs. */
export interface HistoryOf {
  readonly model: Parameters<typeof checkLinearizable>[0];
  readonly history: Parameters<typeof checkLinearizable>[1];
}

const not = (pass: boolean): string => (pass ? 'not ' : '');
const headingOf = (run: RunResult, pass: boolean, wish: string): string =>
  `Expected ${run.scenario.protocol} n=${run.scenario.n} f=${run.scenario.f} ${not(pass)}${wish}.`;

/**
 * Every run under `attack` ends well, and the attack acted: one that never fires proves nothing.
 * `subject` is any `Subject` but a run; `options.seeds` runs are made from `options.seed` on.
 */
function toSurvive(subject: unknown, attack: string, options: SurvivalOptions = {}): Matched {
  const { seeds = 25, ...change } = options;
  const runnable = runnableOf(subject, { ...change, attack });
  const { scenario, entry } = runnable;
  let fired = 0;
  let last: RunResult | undefined;
  for (const run of search(scenario, seeds, entry)) {
    last = run;
    if (run.fired > 0) fired++;
    if (run.word === 'ok') continue;
    const heading = headingOf(run, false, `to survive ${attack}`);
    return { pass: false, message: () => report(heading, toldAgain(run, entry)) };
  }
  if (last === undefined || (fired === 0 && attack !== 'none'))
    return {
      pass: false,
      message: () =>
        `${attack} never acted in ${seeds} runs of ${scenario.protocol}, so nothing was tested: ` +
        'give it more operations (count), more time (until) or other nodes (by).',
    };
  const survivor = last;
  return {
    pass: true,
    message: () =>
      report(
        `${headingOf(survivor, true, `to survive ${attack}`)} ` +
          `It did in ${seeds} of ${seeds} runs; the attack acted in ${fired}.`,
        toldAgain(survivor, entry),
      ),
  };
}

type Log = readonly unknown[];
const areLogs = (subject: unknown): subject is readonly Log[] =>
  Array.isArray(subject) && subject.every((each) => Array.isArray(each));

/** An entry as it is compared and shown. */
const written = (entry: unknown): string =>
  entry instanceof Uint8Array ? `bytes ${[...entry].join(' ')}` : (JSON.stringify(entry) ?? '-');

/** Where two logs differ, as far as both go. */
function firstFork(
  logs: readonly Log[],
): { readonly at: number; readonly one: number; readonly two: number } | undefined {
  for (let one = 0; one < logs.length; one++)
    for (let two = one + 1; two < logs.length; two++) {
      const [first = [], second = []] = [logs[one], logs[two]];
      const both = Math.min(first.length, second.length);
      for (let at = 0; at < both; at++)
        if (written(first[at]) !== written(second[at])) return { at, one, two };
    }
  return undefined;
}

function logsAgree(logs: readonly Log[]): Matched {
  const fork = firstFork(logs);
  const pass = fork === undefined;
  return {
    pass,
    message: () => {
      if (fork === undefined)
        return `Expected ${logs.length} logs to differ somewhere; they agree.`;
      const { at, one, two } = fork;
      const values = [logs[one]?.[at], logs[two]?.[at]].map(written);
      return (
        `Expected ${logs.length} logs to agree. Position ${at}: log ${one} has ${values[0]}, ` +
        `log ${two} has ${values[1]}.`
      );
    },
  };
}

/**
 * No two honest replicas have committed different values at one position. `subject` is any
 * `Subject`, or an array of logs, for example of real replicas: arrays of entries, of which one may
 * be longer than another.
 */
function toAgree(subject: unknown): Matched {
  if (areLogs(subject)) return logsAgree(subject);
  const run = runOf(subject);
  const pass = run.word !== 'forked';
  return {
    pass,
    message: () => report(headingOf(run, pass, 'to agree'), toldAgain(run)),
  };
}

const isHistory = (subject: unknown): subject is HistoryOf =>
  typeof subject === 'object' && subject !== null && 'model' in subject && 'history' in subject;

const saidOf = (found: Linearizability): string =>
  found.verdict === 'not-linearizable'
    ? found.blame.sentence
    : found.verdict === 'unknown'
      ? found.sentence
      : 'an order of all calls explains what each of them returned';

/**
 * What clients saw can be put into one order. `subject` is any `Subject`, or `{ model, history }`
 * for calls that were recorded elsewhere. Throws `SubjectError` for a run that broke something
 * else: what clients saw in it was not judged.
 */
function toBeLinearizable(subject: unknown): Matched {
  if (isHistory(subject)) {
    const found = checkLinearizable(subject.model, subject.history);
    const pass = found.verdict === 'linearizable';
    const wish = `Expected ${subject.history.length} calls ${not(pass)}to be linearizable`;
    return { pass, message: () => `${wish}: ${saidOf(found)}.` };
  }
  const run = runOf(subject);
  const pass = run.word === 'ok';
  if (!pass && run.violation?.rule !== 'linearizability')
    throw new SubjectError(
      report('What clients saw was not judged: the run ended with something else.', toldAgain(run)),
    );
  return {
    pass,
    message: () => report(headingOf(run, pass, 'to be linearizable'), toldAgain(run)),
  };
}

/**
 * The run leaves proofs, two signatures of each, that convict just `liars`: all of them, and nobody
 * else. `subject` is any `Subject`; a run of a protocol of one's own must have been made with
 * `proofs`.
 */
function toConvict(subject: unknown, ...liars: readonly number[]): Matched {
  const given = runOf(subject);
  const run = given.proofs.length > 0 ? given : toldAgain({ ...given, story: [] });
  const convicted = culpritsOf(run);
  const pass =
    liars.length > 0 &&
    liars.length === convicted.length &&
    liars.every((each) => convicted.includes(each));
  const whom = liars.length === 0 ? 'somebody: name the nodes, toConvict(0)' : nodes(liars);
  const found = convicted.length === 0 ? 'nobody' : nodes(convicted);
  return {
    pass,
    message: () =>
      report(`${headingOf(run, pass, `to convict ${whom}`)} It convicts ${found}.`, run),
  };
}

/**
 * Expectations about consensus: `expect.extend(matchers)`, in vitest and in runners like it.
 *
 * @example
 * ```ts
 * import { matchers } from '@quorumlab/matchers';
 *
 * // In a test: expect('pbft').toSurvive('crash-leader', { n: 4 });
 * const { pass, message } = matchers.toSurvive('pbft', 'crash-leader', { n: 4 });
 * if (!pass) throw new Error(message());
 * ```
 */
export const matchers = { toSurvive, toAgree, toBeLinearizable, toConvict } as const;
