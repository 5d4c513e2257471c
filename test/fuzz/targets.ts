/** Everything that reads what a stranger may have written, and what it may do with nonsense. */
import {
  decode,
  encode,
  type Field,
  ms,
  type Random,
  range,
  SchemaError,
  sameBytes,
  seal,
} from '@quorumlab/core';
import {
  attackOf,
  clockOf,
  completeScenario,
  guiltFileOf,
  microseconds,
  networkOf,
  prepare,
  proofGroupOf,
  protocolOf,
  protocols,
  runScenario,
  ScenarioError,
  workloadOf,
} from '@quorumlab/harness';
import { shardPlaceOf } from '@quorumlab/harness/shards';
import { keyValueOperation, keyValueResult, keyValueStore } from '@quorumlab/log';
import { decisions, parseTrace, TraceError, traceBuffer } from '@quorumlab/sim';
import { checkGuiltProof, envelopes, openGuiltProof, type ProofGroup } from '@quorumlab/wire';

/** One decoder. */
export interface Target<T extends Uint8Array | string = Uint8Array | string> {
  readonly name: string;
  /** How many of all inputs it gets, relative to the others; slow ones get fewer. */
  readonly share: number;
  /** Something that it should read. */
  readonly good: (random: Random) => T;
  /** Throws if the decoder misbehaves. Refusing is no misbehaviour. */
  readonly feed: (input: T) => void;
}

const target = <T extends Uint8Array | string>(
  name: string,
  share: number,
  good: Target<T>['good'],
  feed: Target<T>['feed'],
  // The runner mutates what `good` gave by its type and feeds the same type back.
): Target => ({ name, share, good, feed }) as unknown as Target;

/** Calls `read`; what it throws must be one of `allowed`. Nothing if it refused. */
function read<T>(allowed: readonly (abstract new (...all: never) => Error)[], of: () => T) {
  try {
    return { value: of() };
  } catch (error) {
    if (allowed.some((each) => error instanceof each)) return undefined;
    throw error;
  }
}

/** A field: what it accepts is the one encoding of a value. */
const fieldTarget = <T>(name: string, field: Field<T>, share = 2): Target =>
  target<Uint8Array>(
    name,
    share,
    (random) => encode(field, field.sample(random)),
    (bytes) => {
      const found = read([SchemaError], () => decode(field, bytes));
      if (found === undefined) return;
      if (!sameBytes(encode(field, found.value), bytes)) throw new Error('a second encoding');
      if (bytes.length > field.maxBytes) throw new Error('more bytes than the cap');
    },
  );

function protocolTargets(name: string): readonly Target[] {
  const prepared = prepare(completeScenario({ protocol: name }));
  const { group, messages, domain } = prepared;
  const { encode: wrap, decode: unwrap } = envelopes(domain, messages);
  const stored = group.stored as Readonly<Record<string, Field<unknown>>>;
  return [
    ...messages.kinds.map((kind) => fieldTarget(`${name} ${kind.kind}`, kind)),
    ...Object.entries(stored).map(([field, of]) => fieldTarget(`${name} stored ${field}`, of, 1)),
    target<Uint8Array>(
      `${name} envelope`,
      8,
      (random) => wrap(seal(messages.sample(random), random.below(5), new Uint8Array(64) as never)),
      (frame) => {
        const found = unwrap(frame);
        if ('reason' in found) return;
        if (!sameBytes(wrap(found), frame)) throw new Error('a second frame of one message');
      },
    ),
  ];
}

/** The file against a lie that was really told. */
function proofFile(): { file: string; group: ProofGroup } {
  const lied = completeScenario({
    protocol: 'pbft',
    attack: 'equivocating-leader',
    crypto: 'ed25519',
    count: 2,
    until: ms(2000),
  });
  const prepared = prepare(lied);
  const group = proofGroupOf(prepared);
  const file = guiltFileOf(prepared, runScenario(lied, { proofs: true }).guilt);
  if (file === undefined || group === undefined) throw new Error('nobody lied');
  return { file, group };
}

function proofTargets(): readonly Target[] {
  const { file, group } = proofFile();
  const { group: protocol } = prepare(completeScenario({ protocol: 'pbft' }));
  const culpritsOf = (text: string): readonly number[] => {
    const opened = read([SchemaError], () => openGuiltProof(text));
    const verdict = opened && checkGuiltProof(opened.value, protocol, { group });
    return verdict?.holds ? verdict.culprits.map(({ signer }) => signer) : [];
  };
  if (culpritsOf(file).join() !== '0') throw new Error('the proof does not hold');
  return [
    target<string>(
      'proof of guilt',
      2,
      () => file,
      (text) => {
        if (culpritsOf(text).some((signer) => signer !== 0))
          throw new Error('an honest node is accused');
      },
    ),
  ];
}

function traceText(): string {
  const sink = traceBuffer();
  runScenario(completeScenario({ protocol: 'raft', count: 1, until: ms(700) }), { trace: sink });
  return sink.text();
}

/** Texts that people write: each is read, or refused with a sentence. */
const textTarget = (name: string, good: readonly string[], of: (text: string) => unknown): Target =>
  target<string>(
    name,
    2,
    (random) => good[random.below(good.length)] as string,
    (text) => void read([ScenarioError], () => of(text)),
  );

const textTargets = (): readonly Target[] => [
  textTarget('time', ['20ms', '1.5s', '300us', '2m'], microseconds),
  textTarget('network', ['lan', 'psync:gst=2s,delta=20ms', 'async'], networkOf),
  textTarget(
    'clock',
    ['perfect', 'truetime', 'offset=5ms,drift=100ppm,epsilon=7ms,growth=200ppm,sync=30s'],
    (text) => clockOf(text, 1),
  ),
  textTarget(
    'link of shards',
    ['#/shards?bound=20ms&seed=3', '#/shards?clock=truetime'],
    shardPlaceOf,
  ),
  textTarget('protocol', ['raft', 'pbft'], protocolOf),
  textTarget('attack', ['none', 'equivocating-leader'], attackOf),
  textTarget(
    'workload line',
    [
      '{"op":"put","key":"a","value":"1"}',
      '{"op":"cas","key":"a","expected":"1","value":"2"}',
      '{"op":"get","key":"a"}',
    ],
    (line) => {
      const given = { protocol: 'raft', workload: 'file', count: 1, commands: [line] } as const;
      const workload = workloadOf(completeScenario(given), decisions({ seed: 1 }));
      return workload.next(0);
    },
  ),
];

/** All decoders. */
export function targets(): readonly Target[] {
  const trace = traceText();
  const store = keyValueStore();
  return [
    ...protocols.flatMap(({ name }) => protocolTargets(name)),
    fieldTarget('key-value operation', keyValueOperation),
    fieldTarget('key-value result', keyValueResult),
    target<Uint8Array>(
      'key-value store',
      2,
      (random) => encode(keyValueOperation, keyValueOperation.sample(random)),
      (operation) => {
        decode(keyValueResult, store.query(operation));
        decode(keyValueResult, store.apply(operation));
      },
    ),
    ...proofTargets(),
    target<string>(
      'trace',
      0.3,
      () => trace,
      (text) => void read([TraceError], () => parseTrace(text)),
    ),
    ...textTargets(),
  ];
}

/** A stranger's version of `input`: bent in a few places, cut, doubled, or made up. */
export function bend<T extends Uint8Array | string>(input: T, random: Random): T {
  if (typeof input === 'string') {
    const units = range(input.length).map((i) => input.charCodeAt(i));
    const bent = bendUnits(units, random, [34, 48, 57, 45, 46, 101, 123, 125, 44, 58, 0, 0xd800]);
    // The type is that of the input: text stays text.
    return String.fromCharCode(...bent) as T;
  }
  return Uint8Array.from(
    bendUnits(Array.from(input as Uint8Array), random, [0, 1, 0x7f, 0x80, 0xff]),
  ) as T;
}

function bendUnits(units: number[], random: Random, nasty: readonly number[]): number[] {
  const any = (): number =>
    random.below(2) === 0 ? (nasty[random.below(nasty.length)] as number) : random.below(256);
  const bent = [...units];
  for (let left = random.below(4); left >= 0; left--) {
    const at = random.below(bent.length + 1);
    const choice = random.below(7);
    if (choice <= 2 && at < bent.length) bent[at] = any();
    else if (choice === 3 && at < bent.length)
      bent[at] = (bent[at] as number) ^ (1 << random.below(7));
    else if (choice === 4) bent.splice(at, random.below(8));
    else if (choice === 5) bent.splice(at, 0, ...range(1 + random.below(4)).map(any));
    else if (choice === 6) bent.splice(at, 0, ...bent.slice(random.below(at + 1), at).slice(0, 64));
  }
  return bent;
}
