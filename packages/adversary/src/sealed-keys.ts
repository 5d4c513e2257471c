/** Signatures of a stage: nobody can make another's, and a statement has one signature only. */
import {
  type Certificate,
  encode,
  type Protocol,
  type Request,
  request as requestField,
  type Seal,
  type Shape,
  type Signature,
  type Signed,
  seal,
  type Tagged,
  toHex,
} from '@quorumlab/core';

/** See {@link sealedKeys}. */
export interface SealedKeys {
  sign<M extends Tagged>(message: M, from: number): Signed<M>;
  /** Whether every signature in and on `message` is right. */
  check(message: Signed<Tagged>): boolean;
  /** A number for these bytes: the same for equal ones only. */
  nameOf(bytes: Uint8Array): number;
}

/** Keys of everybody, in one hand that signs for who asks and checks what was signed. */
export function sealedKeys<S extends Shape>(protocol: Protocol<S>): SealedKeys {
  const names = new Map<string, number>();
  const nameOf = (bytes: Uint8Array): number => {
    const key = toHex(bytes);
    const known = names.get(key) ?? names.size + 1;
    names.set(key, known);
    return known;
  };
  const bytesOf = (body: Tagged): Uint8Array =>
    body.kind === 'request'
      ? encode(requestField, bare(body) as Request)
      : encode(protocol.messages, bare(body) as S['Message']);
  const signatureOf = (body: Tagged, from: number): Signature => {
    const name = nameOf(bytesOf(body));
    const words = [name, from].flatMap((word) => [24, 16, 8, 0].map((shift) => word >>> shift));
    return Uint8Array.from(words, (each) => each & 255) as Signature;
  };
  const holds = (body: Tagged, { from, signature }: Seal): boolean =>
    toHex(signatureOf(body, from)) === toHex(signature);
  return {
    sign: <M extends Tagged>(message: M, from: number): Signed<M> =>
      seal<M>(message, from, signatureOf(message, from)),
    check(message) {
      if (!holds(message, message)) return false;
      for (const each of protocol.evidence?.(bare(message) as S['Message']) ?? [])
        if ('seals' in each) {
          const { body, seals } = each as Certificate<Tagged>;
          if (!seals.every((one) => holds(body, one))) return false;
        } else if (!holds(each as Signed<Tagged>, each as Signed<Tagged>)) return false;
      return true;
    },
    nameOf,
  };
}

function bare<M extends Tagged>(message: M): M {
  const { from: _, signature: __, ...rest } = message as M & Partial<Seal>;
  // Without the seal it is the plain message again.
  return rest as unknown as M;
}
