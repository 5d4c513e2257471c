import {
  certificate,
  digest,
  firstClient,
  integer,
  list,
  type MessagesField,
  message,
  messages,
  type PrincipalId,
  type Random,
  type Request,
  range,
  request,
  type Signed,
  signed,
  toHex,
  toUtf8,
} from '@quorumlab/core';
import { sha256 } from '../src/digest.ts';
import { domainOf } from '../src/domain.ts';
import { publicKeyOf } from '../src/ed25519.ts';
import { type Ed25519Keyring, ed25519Keyring } from '../src/ed25519-keyring.ts';
import { type IdealAuthority, idealKeyring } from '../src/ideal-keyring.ts';
import type { EvidenceItem, Keyring } from '../src/keyring.ts';

const vote = message('vote', { view: integer(), seq: integer(), digest });
const propose = message('propose', { view: integer(), seq: integer(), asked: signed(request) });
const commit = message('commit', { seq: integer(), votes: certificate(vote, 4) });
const change = message('change', { view: integer(), reports: list(signed(commit), 8) });
/** Says just what a vote says, under another name. */
const veto = message('veto', { view: integer(), seq: integer(), digest });
const toyMessages = messages(request, vote, propose, commit, change, veto);

/** The toy's messages, one of each way to carry a signature inside. */
export type ToyMessage = typeof toyMessages extends MessagesField<infer M> ? M : never;
export type Vote = Extract<ToyMessage, { kind: 'vote' }>;

/** As much of a protocol as wire asks for: four members that vote. */
export const toy = {
  name: 'toy',
  version: 1,
  members: range(4),
  messages: toyMessages as MessagesField<ToyMessage>,
  evidence(from: ToyMessage): Iterable<EvidenceItem> {
    if (from.kind === 'propose') return [from.asked];
    if (from.kind === 'commit') return [from.votes];
    return from.kind === 'change' ? from.reports : [];
  },
  vows(from: ToyMessage): Iterable<readonly [string, string]> {
    return from.kind === 'vote' ? [[`vote/${from.view}/${from.seq}`, from.digest]] : [];
  },
};

export const toyDomain = domainOf(toy, { cluster: 'test', group: 'main', epoch: 3 });
export const hashOf = (text: string): string => toHex(sha256(toUtf8(text)));
export const voteFor = (seq: number, what = 'a', view = 0): Vote => ({
  kind: 'vote',
  view,
  seq,
  digest: hashOf(what),
});
export const asked = (sequence: number): Request => ({
  kind: 'request',
  client: firstClient,
  sequence,
  acknowledged: 0,
  operations: [toUtf8('put x 1')],
});

const principals: readonly PrincipalId[] = [...toy.members, firstClient];
export const secretKeyOf = (id: PrincipalId): Uint8Array => sha256(toUtf8(`secret of ${id}`));
export const publicKeys: ReadonlyMap<PrincipalId, Uint8Array> = new Map(
  principals.map((id) => [id, publicKeyOf(secretKeyOf(id))]),
);

/** Keyrings with real keys; `changed` replaces options. */
export const realKeyring = (
  self: PrincipalId,
  changed: Partial<Parameters<typeof ed25519Keyring<ToyMessage>>[0]> = {},
): Ed25519Keyring<ToyMessage> =>
  ed25519Keyring<ToyMessage>({
    domain: toyDomain,
    messages: toy.messages,
    protocol: toy,
    self,
    secretKey: secretKeyOf(self),
    publicKeys,
    ...changed,
  });

export const idealOf = (authority: IdealAuthority, self: PrincipalId): Keyring<ToyMessage> =>
  idealKeyring({ authority, domain: toyDomain, messages: toy.messages, protocol: toy, self });

/** A small seeded stream. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
  return { below: (limit) => Math.floor((next() / 2 ** 32) * limit) };
}

/** A vote as `from` says it. */
export const said = (keyring: Keyring<ToyMessage>, what: Vote): Signed<Vote> =>
  keyring.sign(what) as Signed<Vote>;
