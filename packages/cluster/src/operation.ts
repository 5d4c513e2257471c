/** Operations on the key-value store, as people write them. */
import { SchemaError } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { ClusterError } from './errors.ts';

/** One operation of a client on the key-value store. */
export interface ClusterOperation {
  readonly bytes: Uint8Array;
  readonly readOnly: boolean;
  /** For people. */
  readonly label: string;
}

/** How operations are written. */
export const usage =
  "write e.g. 'set a 1', 'get a', 'append a 2', 'del a' or 'cas a 1 2' " +
  '(- for "not there yet"), and ' +
  'quotes around what has spaces in it or is empty: \'set "my key" ""\'';

type Kind = 'get' | 'delete' | 'put' | 'append' | 'cas';

/** The words that begin an operation, by what it is. */
const verbs: Readonly<Record<string, Kind>> = {
  get: 'get',
  del: 'delete',
  delete: 'delete',
  set: 'put',
  put: 'put',
  append: 'append',
  cas: 'cas',
  'compare-and-set': 'cas',
};

/** How many words follow each. */
const wordsAfter = { get: 1, delete: 1, put: 2, append: 2, cas: 3 } as const;

/** A word in quotes, in which a backslash takes the next character as it is; or without any. */
const word = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*))(?=\s|$)/sy;

/** The next word of `text` from `at` on, and where it ends; nothing if there is none. */
function nextWord(
  text: string,
  at: number,
): { readonly value: string; readonly quoted: boolean; readonly end: number } | undefined {
  word.lastIndex = at;
  const found = word.exec(text);
  if (found === null) return undefined;
  const quoted = found[1] ?? found[2];
  const value = quoted === undefined ? (found[3] as string) : quoted.replace(/\\(.)/gs, '$1');
  return { value, quoted: quoted !== undefined, end: word.lastIndex };
}

/**
 * The operation that a text asks for: `set KEY VALUE`, `get KEY`, `append KEY VALUE`, `del KEY`,
 * `cas KEY EXPECTED VALUE`. What has spaces in it stands in quotes; the last value may do without,
 * and then it is the rest of the text. Throws {@link ClusterError} with the usage for any other,
 * and never repeats a key or a value: they may be secrets.
 */
export function parseOperation(text: string): ClusterOperation {
  const verb = nextWord(text, 0);
  const kind =
    verb !== undefined && Object.hasOwn(verbs, verb.value) ? verbs[verb.value] : undefined;
  if (verb === undefined || kind === undefined)
    throw new ClusterError(`The key-value store has no such operation; ${usage}.`);
  const wanted = wordsAfter[kind];
  const words: string[] = [];
  let at = verb.end;
  let quoted = false;
  for (let i = 0; i < wanted; i++) {
    const rest = text.slice(at).trim();
    const found = nextWord(text, at);
    if (found === undefined && (i < wanted - 1 || rest === '' || /^["']/.test(rest)))
      throw misused(verb.value, rest);
    const isRest = i > 0 && i === wanted - 1 && !found?.quoted;
    words.push(isRest ? rest : (found?.value ?? ''));
    if (i === 1) quoted = found?.quoted ?? false;
    at = isRest ? text.length : (found?.end ?? text.length);
  }
  if (text.slice(at).trim() !== '') throw misused(verb.value, text.slice(at).trim());
  return operationOf(kind, words, quoted, verb.value, text);
}

function misused(verb: string, rest: string): ClusterError {
  const open = /^["']/.test(rest) && !/["']$/.test(rest);
  const what = open
    ? 'has a quote that does not end'
    : 'does not have just the words that it takes';
  return new ClusterError(`"${verb}" ${what}; ${usage}.`);
}

function operationOf(
  kind: Kind,
  [key = '', first = '', second = '']: readonly string[],
  quoted: boolean,
  verb: string,
  label: string,
): ClusterOperation {
  // A dash in quotes is a value like any other.
  const expected = first === '-' && !quoted ? null : first;
  try {
    if (kind === 'get') return { bytes: kv.get(key), readOnly: true, label };
    if (kind === 'delete') return { bytes: kv.delete(key), readOnly: false, label };
    const bytes =
      kind === 'put'
        ? kv.put(key, first)
        : kind === 'append'
          ? kv.append(key, first)
          : kv.compareAndSet(key, expected, second);
    return { bytes, readOnly: false, label };
  } catch (error) {
    if (error instanceof SchemaError) throw new ClusterError(`"${verb}": ${error.message}`);
    throw error;
  }
}
