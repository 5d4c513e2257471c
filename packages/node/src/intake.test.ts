/** What frames cost their senders, and that they are read and checked in steps. */
import {
  list,
  type Machine,
  message,
  messages,
  type Request,
  request,
  type Shape,
  type Signed,
  signed,
  type Tagged,
} from '@quorumlab/core';
import { type Domain, type Ed25519Keyring, ed25519Keyring, envelopes } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { seedOf } from '../test-support/cluster.ts';
import { fastCrypto } from './fast-crypto.ts';
import { Intake, type Opened, type WaitingFrame } from './intake.ts';
import { publicKeyOf } from './keys.ts';
import { PeerAccounts } from './peer-account.ts';
import { workOf } from './work.ts';

interface Relay {
  readonly kind: 'relay';
  readonly requests: readonly Signed<Request>[];
}
type Said = Request | Relay;
type S = Shape & { readonly Message: Said };

const field = messages(request, message('relay', { requests: list(signed(request), 300) }));
const domain: Domain = { cluster: 'c', group: 'g', epoch: 0, protocol: 'relays', version: 1 };
const CLIENT = 65_536;
const all = [0, 1, CLIENT];

const keyringOf = (self: number): Ed25519Keyring<Said> =>
  ed25519Keyring<Said>({
    domain,
    messages: field,
    protocol: {
      messages: field,
      evidence: (said: Tagged) => (said.kind === 'relay' ? (said as Relay).requests : []),
    },
    self,
    secretKey: seedOf(self),
    publicKeys: new Map(all.map((id) => [id, publicKeyOf(seedOf(id))])),
    fast: fastCrypto,
  });

const codec = envelopes<Said>(domain, field);
const client = keyringOf(CLIENT);
const member = keyringOf(1);

function asked(sequence: number, operations: number): Signed<Request> {
  const content = Array.from({ length: operations }, (_, i) => Uint8Array.of(i & 255));
  const said: Request = {
    kind: 'request',
    client: CLIENT,
    sequence,
    acknowledged: 1,
    operations: content,
  };
  // What a keyring seals is what it was given.
  return client.sign(said) as Signed<Request>;
}

const relayOf = (requests: readonly Signed<Request>[]): Signed<Said> =>
  member.sign({ kind: 'relay', requests });

const spoilt = <M>(sealed: Signed<M>): Signed<M> => {
  const signature = sealed.signature.slice() as typeof sealed.signature;
  signature[5] = (signature[5] ?? 0) ^ 1;
  return { ...sealed, signature };
};

/** Opens a frame of member 1 in as many turns as it takes, none of which has time. */
function opened(
  said: Signed<Said>,
  bent: (frame: Uint8Array) => Uint8Array = (frame) => frame,
  machine: Partial<Machine<S>> = {},
): { last: Opened<S>; turns: number; cost: number } {
  const keyring = keyringOf(0);
  const intake = new Intake<S>({
    machine: () => ({ self: 0, ...machine }) as Machine<S>,
    keyring: () => keyring,
    envelopes: codec,
    maxFrameBytes: 2 ** 24,
    accounts: new PeerAccounts(),
  });
  const bytes = bent(codec.encode(said));
  const { kind, from } = said;
  const waiting: WaitingFrame<S> = { type: 'frame', peer: 1, payer: 1, kind, from, bytes };
  let turns = 0;
  let cost = 0;
  for (;;) {
    const last = intake.open(waiting, 0, 0);
    turns++;
    cost += last.cost;
    if (last.type !== 'unfinished') return { last, turns, cost };
  }
}

test('bad signatures are charged to who sent them, and for more than good ones', () => {
  const good = relayOf([asked(1, 1), asked(2, 1)]);
  const { last, cost } = opened(good);
  expect(last.type).toBe('checked');
  expect(cost).toBeGreaterThanOrEqual(3 * workOf.signature);
  const outside = opened(spoilt(good));
  expect(outside.last).toMatchObject({ type: 'refused', reason: 'bad-signature' });
  expect(outside.cost).toBeGreaterThanOrEqual(workOf.badSignature);
  // All that come before the bad one are computed in vain.
  const inside = opened(relayOf([...[1, 2, 3].map((i) => asked(i, 1)), spoilt(asked(4, 1))]));
  expect(inside.last).toMatchObject({ type: 'refused', reason: 'bad-evidence' });
  expect(inside.cost).toBeGreaterThanOrEqual(4 * workOf.signature + workOf.badSignature);
});

test('what a small frame is full of is charged too: 3,000 operations of nothing are 4 kB', () => {
  const nothing = Array.from({ length: 500 }, () => new Uint8Array());
  const many = Array.from({ length: 6 }, (_, i) => ({ ...asked(i + 1, 0), operations: nothing }));
  const { last, cost } = opened(relayOf(many));
  expect(codec.encode(relayOf(many)).length).toBeLessThan(4_096);
  expect(last).toMatchObject({ type: 'refused', reason: 'bad-evidence' });
  expect(cost - workOf.badSignature).toBeGreaterThan(3_000 * workOf.part);
  // Also where it ends in nonsense.
  const cut = spoilt(relayOf(many));
  expect(opened(cut, (frame) => frame.slice(0, -1)).cost).toBeGreaterThan(3_000 * workOf.part);
});

test('a large frame is read in steps, comes out whole, and costs what is in it', () => {
  const said = relayOf(Array.from({ length: 5 }, (_, i) => asked(i + 1, 1_000)));
  const { last, turns, cost } = opened(said);
  expect(last).toMatchObject({ type: 'checked', message: said });
  // Each of 5,000 operations is a part, and no step has more than 64 of them.
  expect(turns).toBeGreaterThan(5_000 / 64);
  expect(cost).toBeGreaterThan(5_000 * workOf.part);
});

test('the signature over a frame, and the step with it, begin turns of their own', () => {
  const { last, turns } = opened(client.sign({ ...asked(1, 1) } as Request));
  expect(last.type).toBe('checked');
  // Two to read it and one for its signature; the last is that of the step.
  expect(turns).toBe(4);
});

test('what no message of its kind could be of use for is not read', () => {
  const said = relayOf(Array.from({ length: 5 }, (_, i) => asked(i + 1, 1_000)));
  const awaited: (string | number)[] = [];
  const machine: Partial<Machine<S>> = {
    expects: (kind, from) => awaited.push(kind, from) === 0,
    admits: () => {
      throw new Error('it was read');
    },
  };
  const whole = (frame: Uint8Array): Uint8Array => frame;
  const { last, turns, cost } = opened(said, whole, machine);
  expect(last.type).toBe('not-needed');
  expect(awaited).toEqual(['relay', 1]);
  expect(turns).toBe(1);
  // Its bytes have come all the same.
  expect(cost).toBeCloseTo(workOf.frame + codec.encode(said).length * workOf.byte);
  const bad = opened(said, (frame) => frame.slice(0, -1), machine);
  expect(bad.last.type).toBe('not-needed');
  // Whatever was begun to be read is read to its end.
  expect(opened(said, whole, { expects: () => true }).last.type).toBe('checked');
});
