/** What golden bytes are, how they are made, and what is wrong with them. */
import { fromHex, type Random, toHex } from '@quorumlab/core';
import { randomOf } from '../../packages/core/test/random.ts';

type MayBeLater<T> = T | Promise<T>;

/** One kind of thing that travels or is stored. Values are plain data with bytes in it. */
export interface Kind<T> {
  sample(random: Random): T;
  encode(value: T): MayBeLater<Uint8Array>;
  /** Absent: nobody reads it, because it is only signed or hashed. */
  decode?(bytes: Uint8Array): MayBeLater<T>;
}

// biome-ignore lint/suspicious/noExplicitAny: a kind is only ever given values of its own
export type Kinds = Readonly<Record<string, Kind<any>>>;

/** Versions by name: all of those that have to be raised when bytes change. */
export type Versions = Readonly<Record<string, number>>;

/** What has one version, or several that are raised together. */
export interface Format {
  readonly name: string;
  readonly versions: Versions;
  /** Where the versions are raised, for people. */
  readonly raise: string;
  readonly kinds: Kinds;
}

/** A value as JSON has it, and its bytes in hexadecimal. */
interface Case {
  readonly value: unknown;
  readonly bytes: string;
}

/** A file of golden bytes. */
export interface Golden {
  readonly versions: Versions;
  readonly kinds: Readonly<Record<string, readonly Case[]>>;
}

/** As the value is kept in a file. */
const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    each instanceof Uint8Array ? { $bytes: toHex(each) } : each,
  );

const fromJson = (text: string): unknown =>
  JSON.parse(text, (_, each: unknown) =>
    typeof each === 'object' && each !== null && '$bytes' in each
      ? fromHex(String(each.$bytes))
      : each,
  );

/** Values that take more bytes than these are too long to be looked at. */
const mostBytes = { largest: 1500, drawn: 400 };
const drawnValues = 2;
const mostDraws = 100;

/** The smallest value, the largest of those that `sample` makes, and some that chance makes. */
async function casesOf<T>({ sample, encode }: Kind<T>): Promise<readonly Case[]> {
  const found = new Map<string, Case>();
  async function add(random: Random, most: number): Promise<void> {
    let value: T;
    try {
      value = sample(random);
    } catch {
      return; // No value of this kind is made of this alone.
    }
    const bytes = toHex(await encode(value));
    if (bytes.length <= 2 * most) found.set(bytes, { value: JSON.parse(toJson(value)), bytes });
  }
  await add({ below: () => 0 }, mostBytes.largest);
  await add({ below: (limit) => limit - 1 }, mostBytes.largest);
  const wanted = found.size + drawnValues;
  for (let seed = 1; seed <= mostDraws && found.size < wanted; seed++)
    await add(randomOf(seed), mostBytes.drawn);
  return [...found.values()];
}

/** Why a value no longer has its bytes, or bytes their value; nothing if all is as it was. */
async function changeOf<T>(
  { encode, decode }: Kind<T>,
  { value, bytes }: Case,
): Promise<string | undefined> {
  try {
    const read = fromJson(JSON.stringify(value)) as T;
    const written = toHex(await encode(read));
    if (written !== bytes) return `${toJson(read)} was ${bytes} and is ${written}`;
    const back = decode && toJson(await decode(fromHex(bytes)));
    if (back !== undefined && back !== toJson(read))
      return `${bytes} was ${toJson(read)} and is read as ${back}`;
  } catch (error) {
    return `${bytes}: ${error instanceof Error ? error.message : error}`;
  }
  return undefined;
}

const spell = (versions: Versions): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

const isRaised = (from: Versions, to: Versions): boolean =>
  Object.entries(from).every(([name, version]) => (to[name] ?? 0) > version);

/** What became of a kind. */
async function judge(
  { kinds }: Format,
  golden: Golden,
  name: string,
): Promise<{ readonly what: string; readonly detail: string } | undefined> {
  const kind = kinds[name];
  const cases = golden.kinds[name];
  if (kind === undefined) return { what: `${name} is gone`, detail: '' };
  if (cases === undefined || cases.length === 0)
    return { what: `${name} is new and has no golden bytes`, detail: '' };
  for (const each of cases) {
    const detail = await changeOf(kind, each);
    if (detail !== undefined) return { what: `the encoding of ${name} changed`, detail };
  }
  return undefined;
}

const namesIn = ({ kinds }: Format, golden: Golden): readonly string[] => [
  ...new Set([...Object.keys(golden.kinds), ...Object.keys(kinds)]),
];

/** One sentence for each difference between a format and its golden bytes. */
export async function goldenFaults(
  format: Format,
  golden: Golden | undefined,
): Promise<readonly string[]> {
  const { name, versions, raise } = format;
  if (golden === undefined) return [`${name} has no golden bytes: run \`npm run golden\`.`];
  const raised = isRaised(golden.versions, versions);
  const faults: string[] = [];
  for (const each of namesIn(format, golden)) {
    const fault = await judge(format, golden, each);
    if (fault === undefined) continue;
    const why = raised
      ? `; the version was raised, so run \`npm run golden\``
      : `, although the version is still ${spell(versions)}: raise ${raise}, ` +
        'and then run `npm run golden`';
    faults.push(`${name}: ${fault.what}${why}.${fault.detail && `\n  ${fault.detail}`}`);
  }
  if (faults.length === 0 && toJson(golden.versions) !== toJson(versions))
    faults.push(
      `${name}: its golden bytes are those of ${spell(golden.versions)}, ` +
        `and the version is ${spell(versions)}: run \`npm run golden\`.`,
    );
  return faults;
}

/** Bytes changed and the version did not. */
export class SameVersionError extends Error {
  override readonly name = 'SameVersionError';
}

/** New golden bytes. What has not changed is kept. Throws SameVersionError. */
export async function renewed(format: Format, golden: Golden | undefined): Promise<Golden> {
  const { versions, kinds } = format;
  const cases: Record<string, readonly Case[]> = {};
  if (golden !== undefined && !isRaised(golden.versions, versions)) {
    const faults = await goldenFaults({ ...format, versions: golden.versions }, golden);
    if (faults.length > 0) throw new SameVersionError(faults.join('\n'));
  }
  for (const [name, kind] of Object.entries(kinds)) {
    const isKept = golden !== undefined && (await judge(format, golden, name)) === undefined;
    cases[name] = (isKept ? golden.kinds[name] : undefined) ?? (await casesOf(kind));
  }
  return { versions, kinds: cases };
}

/** The file of golden bytes: a line for each value, so that a difference is seen. */
export function textOf({ versions, kinds }: Golden): string {
  const lines = (cases: readonly Case[]): string =>
    cases.map((each) => `      ${JSON.stringify(each)}`).join(',\n');
  const blocks = Object.entries(kinds).map(
    ([name, cases]) => `    ${JSON.stringify(name)}: [\n${lines(cases)}\n    ]`,
  );
  const all = `{\n${blocks.join(',\n')}\n  }`;
  return `{\n  "versions": ${JSON.stringify(versions)},\n  "kinds": ${all}\n}\n`;
}
