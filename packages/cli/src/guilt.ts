/** Proofs of guilt: written beside runs, and checked where nothing but a file is at hand. */
import { join, parse } from 'node:path';
import {
  guiltFileOf,
  operationsOf,
  optionText,
  prepare,
  protocolOf,
  quoted,
  type RunResult,
  requestsIn,
  type Scenario,
  tooManyLiars,
  type VerdictRow,
} from '@quorumlab/harness';
import {
  checkGuiltProof,
  type GuiltVerdict,
  guiltSchema,
  type OpenedProof,
  openGuiltProof,
  type ProofGroup,
} from '@quorumlab/wire';
import { Exit, exitCodes } from './errors.ts';
import { writeLines } from './files.ts';
import type { Io } from './io.ts';

/** The scenario as it has to run for its proof to convince a stranger: with real keys. */
export const signedIf = (scenario: Scenario, proof: string | undefined): Scenario =>
  proof === undefined ? scenario : { ...scenario, crypto: 'ed25519' };

/** Who is convicted, for a row of a result; `file`: where the proof is. */
export function guiltRow(
  { guilt: { culprits, notProvable } }: RunResult,
  file?: string,
): Pick<VerdictRow, 'guilt'> {
  if (culprits.length === 0 && notProvable === undefined) return {};
  return {
    guilt: {
      culprits: culprits.map(({ signer, rule }) => ({ member: signer, rule })),
      ...(notProvable === undefined ? {} : { notProvable }),
      ...(file === undefined ? {} : { proof: file }),
    },
  };
}

/** What became of a proof that was asked for. */
export interface Proven {
  /** Where it is, if somebody is convicted. */
  readonly file?: string;
  /** Why it could not be written. */
  readonly failure?: Exit;
}

/** Writes the proof against the culprits of a run with real keys to `file`, if there are any. */
export function proven(result: RunResult, file: string): Proven {
  const text = guiltFileOf(prepare(result.scenario), result.guilt);
  if (text === undefined) return {};
  try {
    writeLines(file, text.trimEnd().split('\n'));
    return { file };
  } catch (error) {
    if (error instanceof Exit) return { failure: error };
    throw error;
  }
}

/** Where the proof of one of several scenarios goes: `guilt.json` becomes `guilt-pbft-….json`. */
export function proofFileOf(file: string, scenario: Scenario, several: boolean): string {
  if (!several) return file;
  const { dir, name, ext } = parse(file);
  const words = [scenario.protocol, optionText(scenario), scenario.attack].filter(Boolean);
  return join(dir, `${[name, ...words].join('-').replace(/[^\w=.+-]/g, '_')}${ext}`);
}

/** Who is convicted, by what honest nodes have kept. */
export function sayGuilt(io: Io, { guilt }: VerdictRow, asked: boolean): void {
  if (guilt === undefined) {
    if (asked) io.out('  guilt     nobody is: no proof is written');
    return;
  }
  const { culprits, notProvable, proof } = guilt;
  for (const [i, { member, rule }] of culprits.entries())
    io.out(`  ${i === 0 ? 'guilt ' : '      '}    n${member} ${rule}`);
  if (notProvable !== undefined) io.out(`  guilt     not provable: ${notProvable}`);
  if (proof === undefined) return;
  io.out(`  proof     ${proof}`);
  io.out(`  check it  quorumlab explain --proof ${quoted(proof)}`);
}

/** Whether a text begins as a proof of guilt does. */
export const isGuiltProof = (text: string): boolean => text.slice(0, 200).includes(guiltSchema);

/** Checks the text of a proof and says in words what it shows; exit 0 if it holds, 1 if not. */
export function explainGuilt(io: Io, text: string, group?: ProofGroup): void {
  const opened = openGuiltProof(text);
  const verdict = verdictOn(opened, group);
  process.exitCode = verdict.holds ? exitCodes.expected : exitCodes.unexpected;
  const { domain, f, options, publicKeys } = opened;
  if (io.json) {
    const about = { domain, n: publicKeys.length, f, options };
    io.out(JSON.stringify({ schema: 'quorumlab.explain/2', ...about, ...told(verdict) }));
    return;
  }
  if (!verdict.holds) {
    io.out(`${io.paint('bad', `${io.sign('fail')} this proves nothing`)}: ${verdict.reason}`);
    return;
  }
  const { culprits } = verdict;
  const names = culprits.map(({ signer }) => `n${signer}`).join(', ');
  io.out(`${io.paint('good', `${io.sign('ok')} the proof holds`)}: ${names} lied`);
  for (const { signer, rule, first, second } of culprits) {
    io.out(`  n${signer} ${rule}`);
    for (const message of [first, second]) io.out(`     ${wordsOf(message)}`);
    io.out(`     key ${Buffer.from(publicKeys[signer] as Uint8Array).toString('hex')}`);
  }
  const { claims } = protocolOf(domain.protocol);
  const most = tooManyLiars(claims, f) - 1;
  const than = culprits.length > most ? 'more than' : 'no more than';
  const settings = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  io.out(
    `  of ${[domain.protocol, ...settings].join(' ')} with ${publicKeys.length} members in ` +
      `cluster "${domain.cluster}", group "${domain.group}", epoch ${domain.epoch}: ` +
      `${than} the ${most} that it tolerates`,
  );
  io.out(
    group === undefined
      ? '  whose keys these are, the file cannot say: compare them, or name the cluster that ' +
          'you trust with --cluster FOLDER'
      : '  the keys, the name and the rules are those of the cluster that you trust',
  );
}

function verdictOn(opened: OpenedProof, group?: ProofGroup): GuiltVerdict<{ kind: string }> {
  const { domain, f, options, publicKeys, seats } = opened;
  const entry = protocolOf(domain.protocol);
  // A group that is too small is an experiment, and its liars are liars all the same.
  const room = seats === undefined ? {} : { seats };
  const size = { n: publicKeys.length, f, unsafe: true, options, ...room };
  const trust = group === undefined ? {} : { group };
  return checkGuiltProof(opened, entry.create(size), trust);
}

/** A verdict as data. */
const told = (verdict: GuiltVerdict<{ kind: string }>) =>
  verdict.holds
    ? {
        holds: true,
        culprits: verdict.culprits.map(({ signer, rule, first, second }) => ({
          member: signer,
          rule,
          statements: [first, second].map(wordsOf),
        })),
      }
    : verdict;

/** Longest list or text in the words of a statement. */
const mostLetters = 160;

/** A signed message in words: its kind and its parts, or what clients ask for in it. */
function wordsOf(message: { readonly kind: string }): string {
  const {
    kind,
    from: _,
    signature: __,
    ...parts
  } = message as Record<string, unknown> & {
    readonly kind: string;
  };
  const requests = requestsIn(message);
  const said =
    requests.length > 0
      ? operationsOf(requests)
      : Object.entries(parts)
          .map(([name, value]) => `${name} ${textOf(value)}`)
          .join(', ');
  return `${kind} ${said.length > mostLetters ? `${said.slice(0, mostLetters)}…` : said}`;
}

/** A part of a message as people read it: digests by their first digits, bytes by their number. */
function textOf(value: unknown): string {
  if (typeof value === 'string')
    return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 8)}…` : value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.map(textOf).join('; ')}]`;
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .filter(([name]) => name !== 'signature' && name !== 'kind')
      .map(([name, each]) => `${name} ${textOf(each)}`)
      .join(' ');
  return String(value);
}
