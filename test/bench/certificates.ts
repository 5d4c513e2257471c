/** Certificates as lists of Ed25519 signatures beside BLS12-381 aggregates, by the group's size. */
import { blstScheme, nobleScheme } from '@quorumlab/bls';
import {
  byzantine,
  certificate,
  digest,
  encode,
  integer,
  message,
  type Seal,
} from '@quorumlab/core';
import { fastCrypto } from '@quorumlab/node';
import {
  type AggregateKey,
  type AggregateScheme,
  publicKeyOf,
  signer,
  signingBytes,
  type Verifier,
  verifier,
} from '@quorumlab/wire';
import { cpuRate, inTurns, type Part, type Row, sink } from './measure.ts';
import { samples } from './samples.ts';

const sizes = [4, 16, 64, 256];
const { domain } = samples[0] as (typeof samples)[number];
const vote = message('vote', { view: integer(), block: digest });
const body = { kind: 'vote', view: 7, block: 'ab'.repeat(32) } as const;
const statement = signingBytes(domain, 0, 'vote', encode(vote, body));
const seedOf = (id: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? (id >> (8 * i)) & 255 : 7));

/** What one certificate costs, in microseconds of one core, and how many bytes it has. */
interface Costs {
  /** One member signs its vote. */
  readonly sign: number;
  /** The maker makes one signature of those of a quorum, and checks it. */
  readonly make: number;
  /** Everybody else checks the certificate. */
  readonly verify: number;
  readonly bytes: number;
}

/** Bytes of a certificate with these seals, without its body. */
const bytesOf = (n: number, seals: readonly Seal[]): number =>
  encode(certificate(vote, n), { body, seals }).length - encode(vote, body).length;

const quorumOf = (n: number): number => {
  const { members, has } = byzantine(n, Math.floor((n - 1) / 3));
  return members.findIndex((_, i) => has(members.slice(0, i + 1))) + 1;
};

const microseconds = (perSecond: number): number => 1e6 / perSecond;

/** Rates as microseconds, measured in turns. */
async function costs(
  rounds: number,
  works: Readonly<Record<'sign' | 'make' | 'verify', () => number>>,
): Promise<Omit<Costs, 'bytes'>> {
  const { sign, make, verify } = await inTurns(rounds, works);
  return { sign: microseconds(sign), make: microseconds(make), verify: microseconds(verify) };
}

/** Lists: whoever has checked the votes need make nothing of them. */
async function listed(n: number, rounds: number, seconds: number): Promise<Costs> {
  const quorum = quorumOf(n);
  const sign = signer(seedOf(0), fastCrypto);
  const members = Array.from({ length: quorum }, (_, id) => ({
    from: id,
    signature: signer(seedOf(id), fastCrypto)(statement) as Seal['signature'],
    verify: verifier(publicKeyOf(seedOf(id)), fastCrypto) satisfies Verifier,
  }));
  const found = await costs(rounds, {
    sign: () => cpuRate(seconds, () => void (sink.value = sign(statement)), 16),
    make: () => Number.POSITIVE_INFINITY,
    verify: () =>
      cpuRate(
        seconds,
        () => {
          for (const { verify, signature } of members)
            if (!verify(signature, statement)) throw new Error('refused');
        },
        1,
      ),
  });
  return { ...found, bytes: bytesOf(n, members) };
}

async function aggregated(
  scheme: AggregateScheme,
  n: number,
  rounds: number,
  seconds: number,
): Promise<Costs> {
  const quorum = quorumOf(n);
  const secrets = Array.from({ length: quorum }, (_, id) => scheme.secret(seedOf(id)));
  const shares = secrets.map((each) => each.sign(statement));
  const keys: AggregateKey[] = secrets.map(({ publicKey }, id) => scheme.admit(publicKey, id));
  const [secret] = secrets as [(typeof secrets)[number]];
  const sum = scheme.aggregate(shares) as Uint8Array;
  const check = (signature: Uint8Array | undefined): void => {
    if (signature === undefined || !scheme.verify(keys, statement, signature))
      throw new Error('refused');
  };
  const found = await costs(rounds, {
    sign: () => cpuRate(seconds, () => void (sink.value = secret.sign(statement)), 1),
    make: () => cpuRate(seconds, () => check(scheme.aggregate(shares)), 1),
    verify: () => cpuRate(seconds, () => check(sum), 1),
  });
  const seals = secrets.map((_, from): Seal => {
    const signature = from === 0 ? sum : new Uint8Array(0);
    return { from, signature: signature as Seal['signature'] };
  });
  return { ...found, bytes: bytesOf(n, seals) };
}

/**
 * All that one certificate costs a group: everybody signs, one makes it, and all others check it.
 * With aggregates a vote is signed both ways, since its signer answers for it by Ed25519.
 */
const ofGroup = (n: number, { sign, make, verify }: Costs, beside = 0): number =>
  n * (sign + beside) + make + (n - 1) * verify;

/** What a part costs in a group of `n`: on straight lines through the sizes, and beyond them. */
function costOf(all: readonly Costs[], part: keyof Costs, n: number): number {
  const last = sizes.length - 2;
  const i = Math.min(
    last,
    Math.max(
      0,
      sizes.findLastIndex((size) => size <= n),
    ),
  );
  const [from, to] = [sizes[i] as number, sizes[i + 1] as number];
  const [start, end] = [(all[i] as Costs)[part], (all[i + 1] as Costs)[part]];
  // Nothing gets cheaper in a larger group: that is noise.
  return start + (Math.max(0, end - start) * (n - from)) / (to - from);
}

const costsOf = (all: readonly Costs[], n: number): Costs => ({
  sign: costOf(all, 'sign', n),
  make: costOf(all, 'make', n),
  verify: costOf(all, 'verify', n),
  bytes: costOf(all, 'bytes', n),
});

/** From how many replicas on `cost` is less for aggregates, as words. */
function paysFrom(
  lists: readonly Costs[],
  all: readonly Costs[],
  cost: (n: number, costs: Costs, isAggregate: boolean) => number,
): string {
  const most = 4096;
  for (let n = 4; n <= most; n++)
    if (cost(n, costsOf(all, n), true) < cost(n, costsOf(lists, n), false))
      return `from n=${n} on${n > (sizes.at(-1) as number) ? ' (beyond what was measured)' : ''}`;
  return `not up to n=${most}`;
}

const shown = (micros: number): string =>
  micros < 1000 ? `${micros.toFixed(0)} µs` : `${(micros / 1000).toFixed(1)} ms`;

/** Signing, making and checking certificates of groups of 4 to 256, and from where on BLS pays. */
export const certificates: Part = async ({ quick }) => {
  const [rounds, seconds] = quick ? [1, 0.02] : [5, 0.1];
  const native = await blstScheme();
  const schemes = [...(native === undefined ? [] : [native]), nobleScheme];
  const lists: Costs[] = [];
  for (const n of sizes) lists.push(await listed(n, rounds, seconds));
  const rows: Row[] = lists.map((each, i) =>
    rowOf('ed25519, node:crypto', sizes[i] as number, each),
  );
  for (const scheme of schemes) {
    const all: Costs[] = [];
    for (const n of sizes) all.push(await aggregated(scheme, n, rounds, seconds));
    rows.push(
      ...all.map((each, i) => rowOf(scheme.name, sizes[i] as number, each, lists[i])),
      paying(scheme.name, lists, all),
    );
  }
  return rows;
};

function rowOf(name: string, n: number, found: Costs, list?: Costs): Row {
  const { sign, make, verify, bytes } = found;
  return {
    part: 'certificates',
    name: `verify, n=${n}, ${name}`,
    value: verify,
    unit: 'µs',
    ...(list === undefined ? {} : { limit: { name: 'list of Ed25519', value: list.verify } }),
    note:
      `quorum of ${quorumOf(n)}: sign ${shown(sign)}, ` +
      `${list === undefined ? '' : `aggregate and check ${shown(make)}, `}${bytes} bytes`,
  };
}

/** From how many replicas on aggregates are the cheaper ones: in checking, in all, and in bytes. */
function paying(name: string, lists: readonly Costs[], all: readonly Costs[]): Row {
  const ed25519 = lists[0]?.sign ?? 0;
  const inAll = (n: number, costs: Costs, isAggregate: boolean): number =>
    ofGroup(n, costs, isAggregate ? ed25519 : 0);
  const n = sizes.at(-1) as number;
  return {
    part: 'certificates',
    name: `all of n=${n} sign, one makes, others check, ${name}`,
    value: inAll(n, costsOf(all, n), true) / 1000,
    unit: 'ms',
    limit: { name: 'lists of Ed25519', value: inAll(n, costsOf(lists, n), false) / 1000 },
    more:
      `${name}: BLS pays for whoever checks ${paysFrom(lists, all, (_, each) => each.verify)}; ` +
      `for all of a group, who sign both ways, ${paysFrom(lists, all, inAll)}; ` +
      `in bytes ${paysFrom(lists, all, (_, each) => each.bytes)}`,
  };
}
