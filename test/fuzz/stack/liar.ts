/** Messages as nobody honest would send them, under a key that the group knows. */
import { type Random, type Signature, type Signed, seal, type Tagged } from '@quorumlab/core';
import { type ServiceMessage, serviced } from '@quorumlab/log';
import { type ClusterIdentity, fastCrypto } from '@quorumlab/node';
import { domainOf, ed25519Keyring, envelopes } from '@quorumlab/wire';
import { seedOf } from '../../../packages/node/test-support/cluster.ts';
import { bend } from '../targets.ts';
import type { groupOf } from './group.ts';

/** What a principal with a key can make. */
export interface Liar {
  /** A message of the schemas, rightly sealed by the liar, with what is inside it as well. */
  message(random: Random): Uint8Array;
  /** Such a frame, bent somewhere. */
  bent(random: Random): Uint8Array;
}

/** Numbers that arithmetic may stumble over. */
const special = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 47, 2 ** 48 - 1, 2 ** 48];

/** The liar that has the key of `self` in `group`. */
export function liarOf(
  self: number,
  { protocol, cluster }: { readonly cluster: ClusterIdentity } & ReturnType<typeof groupOf>,
): Liar {
  const group = serviced(protocol);
  const { messages } = group;
  const domain = domainOf(protocol, cluster);
  const { encode } = envelopes(domain, messages);
  const keyring = ed25519Keyring<Tagged>({
    domain,
    messages,
    protocol: group,
    self,
    secretKey: seedOf(self),
    publicKeys: new Map(),
    fast: fastCrypto,
  });
  const signs = protocol.client.signed;
  const sealed = (message: ServiceMessage): Signed<ServiceMessage> =>
    signs
      ? (keyring.sign(message) as Signed<ServiceMessage>)
      : seal<ServiceMessage>(message, self, new Uint8Array(0) as unknown as Signature);

  /** The same, with each signed part said by the liar, whose signature is good. */
  const resealed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resealed);
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    const parts = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resealed(v)]));
    if (!('signature' in parts && 'kind' in parts)) return parts;
    const { from: _, signature: __, ...body } = parts;
    // Only what this very schema made comes here.
    const own = body.kind === 'request' ? { ...body, client: self } : body;
    return messages.of(String(own.kind)) === undefined ? parts : sealed(own as never);
  };

  const odd = (message: Record<string, unknown>, random: Random): Record<string, unknown> => {
    const names = Object.keys(message).filter((name) => typeof message[name] === 'number');
    const name = names[random.below(names.length)];
    return name === undefined
      ? message
      : { ...message, [name]: special[random.below(special.length)] };
  };

  const made = (random: Random): Uint8Array => {
    let message = messages.kinds[random.below(messages.kinds.length)]?.sample(random) as Record<
      string,
      unknown
    > & { kind: string };
    for (let left = random.below(4); left > 0; left--)
      message = messages.mutate(message as never, random) as never;
    if (random.below(3) === 0) message = odd(message, random) as never;
    if (random.below(4) > 0) message = resealed(message) as never;
    try {
      return encode(sealed(message as never));
    } catch {
      // A limit of the schema was hit by a special number: then the plain one will do.
      return encode(sealed(messages.sample(random) as never));
    }
  };
  // A seal costs more than all the rest, and what is bent is mostly refused at once.
  let kept = new Uint8Array(0);
  let uses = 0;
  return {
    message: made,
    bent(random) {
      if (uses++ % 16 === 0) kept = Uint8Array.from(made(random));
      return bend(kept, random);
    },
  };
}
