import { decode, encode, fromHex, SchemaError, toHex } from '@quorumlab/core';
import { type ProofRecord, proofField } from './proof.ts';

interface StatementJson {
  readonly kind: string;
  readonly body: string;
  readonly signature: string;
}

/** The proof of `bytes` (see `encodeProof`) as JSON text: readable, and the same proof. */
export function proofToJson(bytes: Uint8Array): string {
  return jsonOf(decode(proofField, bytes));
}

function jsonOf({ publicKey, first, second, ...rest }: ProofRecord): string {
  const part = ({ kind, body, signature }: ProofRecord['first']): StatementJson => ({
    kind,
    body: toHex(body),
    signature: toHex(signature),
  });
  const all = { ...rest, publicKey: toHex(publicKey), first: part(first), second: part(second) };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

/**
 * The bytes of a proof from its JSON text, for `verifyProof`. Throws {@link SchemaError} at text
 * that `proofToJson` would not have written: one proof has one text.
 */
export function proofFromJson(json: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    const all: ProofJson = JSON.parse(json);
    const part = ({ kind, body, signature }: StatementJson) => ({
      kind,
      body: fromHex(body),
      signature: fromHex(signature),
    });
    bytes = encode(proofField, {
      schema: all.schema,
      domain: all.domain,
      signer: all.signer,
      publicKey: fromHex(all.publicKey),
      about: all.about,
      first: part(all.first),
      second: part(all.second),
    });
  } catch (error) {
    // Wrong types end in an encoder or in a property of nothing; the text comparison below does the
    // rest.
    throw new SchemaError(`this is not the JSON text of a proof: ${String(error)}`);
  }
  if (proofToJson(bytes) !== json)
    throw new SchemaError('this is not the JSON text of a proof as it was written; do not edit it');
  return bytes;
}

/** What the text is hoped to hold; it is compared with what it should have been afterwards. */
interface ProofJson extends Omit<ProofRecord, 'publicKey' | 'first' | 'second'> {
  readonly publicKey: string;
  readonly first: StatementJson;
  readonly second: StatementJson;
}
