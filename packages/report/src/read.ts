/** Results that come from files: whoever wrote them, so every part that is used is looked at. */
import { verdictWords } from '@quorumlab/checker';
import { engine } from '@quorumlab/harness';
import { type Result, resultSchema } from './result.ts';

/** A file that is no result, or one that cannot be used; the sentence says which part of it. */
export class ResultError extends Error {
  override readonly name = 'ResultError';
}

type Check = (value: unknown, path: string) => void;

const wrong = (path: string, what: string): ResultError =>
  new ResultError(`${path} is not ${what}; name a file that quorumlab --json has written.`);

const is =
  (what: string, test: (value: unknown) => boolean): Check =>
  (value, path) => {
    if (!test(value)) throw wrong(path, what);
  };

const text = is('a text', (value) => typeof value === 'string');
const flag = is('true or false', (value) => typeof value === 'boolean');
const number = is('a number', (value) => typeof value === 'number' && Number.isFinite(value));
const count = is('a count', (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const word = is('a verdict', (value) => verdictWords.some((each) => each === value));
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, 'a list');
    for (const [i, each] of value.entries()) check(each, `${path}[${i}]`);
  };

/** An object with these parts; one whose name ends in `?` may be absent. */
const parts =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isObject(value)) throw wrong(path, 'an object');
    for (const [key, check] of Object.entries(checks)) {
      const name = key.replace('?', '');
      if (key.endsWith('?') && !Object.hasOwn(value, name)) continue;
      check(Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`);
    }
  };

const valuesOf =
  (check: Check): Check =>
  (value, path) => {
    if (!isObject(value)) throw wrong(path, 'an object');
    for (const [name, each] of Object.entries(value)) check(each, `${path}.${name}`);
  };

const option = is('a text, a number or a flag', (value) =>
  ['string', 'number', 'boolean'].includes(typeof value),
);
const name = { protocol: text, n: count, f: count, 'options?': valuesOf(option) };

const statement = parts({ kind: text, what: text, signature: text });
const proof = parts({ signer: count, about: text, first: statement, second: statement });
const counterexample = parts({
  ...{ rule: text, sentence: text, 'slot?': number, seats: listOf(count), events: count },
  ...{ seed: text, 'trace?': text, replay: text, culprits: listOf(count), proofs: listOf(proof) },
  'first?': parts({ seed: text, events: count, replay: text }),
  'shrunk?': parts({ before: count, after: count, tries: count }),
});
const row = parts({
  ...{ ...name, 'mutant?': text, attack: text, word, 'words?': valuesOf(count), expected: flag },
  ...{
    'reads?': text,
    'judged?': text,
    'unsafe?': text,
    claimed: flag,
    'why?': text,
    runs: count,
    hits: count,
    fired: count,
  },
  ...{ 'note?': text, 'budget?': text, 'hint?': text, upper95: number, digest: text, seed: text },
  ...{ 'counterexample?': counterexample, 'story?': listOf(text) },
});

const work = parts({ messages: number, bytes: number });
const steadyCost = parts({
  ...{ ...name, messagesPerCommit: number, bytesPerCommit: number, signaturesPerCommit: number },
  ...{ verificationsPerCommit: number, syncsPerCommit: number, delaysToDecision: number },
  ...{ delaysToReply: number, busiest: work, kinds: valuesOf(work) },
  ...{ once: flag, commits: count, positions: count },
  'replacement?': parts({ milliseconds: number, messages: number, bytes: number }),
});
const runCost = parts({
  ...{ protocol: text, answered: count, messages: number, signatures: number, syncs: number },
  ...{ messagesPerCommit: number, signaturesPerCommit: number, syncsPerCommit: number },
  virtualMilliseconds: number,
});
const cost: Check = (value, path) =>
  (isObject(value) && value.counts === 'one commit' ? steadyCost : runCost)(value, path);

const scenario = parts({ ...name, 'mutant?': text, network: text, attack: text, seed: text });
const oneOrMore: Check = (value, path) =>
  (Array.isArray(value) ? listOf(scenario) : scenario)(value, path);

const result = parts({
  ...{ engine: text, command: text, crypto: text, scenario: oneOrMore, verdicts: listOf(row) },
  ...{ cost: listOf(cost), 'growth?': listOf(steadyCost), 'expect?': word, exit: count },
  ...{ 'unexpected?': count, 'leftOut?': listOf(parts({ attack: text, why: text })) },
  'errors?': listOf(parts({ code: text, message: text })),
  'stopped?': text,
});

/**
 * Reads what `--json` or `--reporter json=FILE` has written; `file` is how sentences name it.
 * Throws a {@link ResultError}.
 */
export function readResult(json: string, file: string): Result {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ResultError(`${file} is no JSON; name a file that quorumlab --json has written.`);
  }
  const schema = isObject(value) ? value.schema : undefined;
  if (schema === 'quorumlab.error/1')
    throw new ResultError(`${file} is the document of an error, and has no results.`);
  if (schema !== resultSchema)
    throw new ResultError(
      `${file} is not of the schema ${resultSchema}; name one that quorumlab --json has written.`,
    );
  result(value, file);
  // Every part that anybody reads has been looked at.
  const read = value as Result;
  // Of another engine, numbers of equal seeds are of other runs.
  if (read.engine !== engine)
    throw new ResultError(
      `${file} is of ${read.engine.slice(0, 60)}, and this is ${engine}; use that version.`,
    );
  return read;
}
