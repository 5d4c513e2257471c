import {
  decode,
  encode,
  fromHex,
  SchemaError,
  type Signature,
  type Signed,
  seal,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  publicKeys,
  realKeyring,
  said,
  type ToyMessage,
  toy,
  toyDomain,
  voteFor,
} from '../test/toy.ts';
import { encodeProof, isProven, type ProofRecord, proofField, verifyProof } from './proof.ts';
import { proofFromJson, proofToJson } from './proof-json.ts';
import { detector } from './vows.ts';

const liar = realKeyring(2);
const publicKey = publicKeys.get(2) as Uint8Array;
const watch = detector(toy);
watch.observe(said(liar, voteFor(1, 'a')));
const proof = watch.observe(said(liar, voteFor(1, 'b')));
if (proof === undefined) throw new Error('the detector found nothing');
const place = { domain: toyDomain, publicKey };
const bytes = encodeProof(proof, toy, place);

test('a stranger checks a proof from its bytes, with or without knowing the members', () => {
  for (const options of [{}, { publicKeys }, { publicKeys, domain: toyDomain }]) {
    const verdict = verifyProof(bytes, toy, options);
    expect(isProven(verdict)).toBe(true);
    expect(verdict).toMatchObject({ signer: 2, about: 'vote/0/1', domain: toyDomain, publicKey });
    expect(verdict).toMatchObject({ said: [voteFor(1, 'a').digest, voteFor(1, 'b').digest] });
  }
});

test('a proof as JSON is the same proof', () => {
  const json = proofToJson(bytes);
  expect(JSON.parse(json)).toMatchObject({ schema: 'quorumlab.proof/1', signer: 2 });
  expect(proofFromJson(json)).toEqual(bytes);
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '{"__proto__":{}}',
    json.trim(),
    json.replace('"signer": 2', '"signer": "2"'),
  ])
    expect(() => proofFromJson(text), text).toThrow(SchemaError);
});

const holds = (changed: Uint8Array): boolean => isProven(verifyProof(changed, toy));

test('no proof with one changed byte holds', () => {
  for (let at = 0; at < bytes.length; at++)
    for (const flip of [1, 128]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ flip;
      expect(holds(changed), `byte ${at} ^ ${flip}`).toBe(false);
    }
  expect(holds(bytes.slice(0, -1))).toBe(false);
  expect(holds(Uint8Array.from([...bytes, 0]))).toBe(false);
});

test('no JSON text with one changed character holds', () => {
  const json = proofToJson(bytes);
  for (let at = 0; at < json.length; at += 3) {
    const other = json[at] === '1' ? '2' : '1';
    let changed: Uint8Array;
    try {
      changed = proofFromJson(json.slice(0, at) + other + json.slice(at + 1));
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError);
      continue;
    }
    expect(holds(changed), `character ${at}`).toBe(false);
  }
});

test('a key that verifies signatures of nobody proves nothing', () => {
  // Of order 8: with zeros for a signature it "signs" whatever one likes.
  const small = fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  const signature = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0)) as Signature;
  const [first, second] = ['a', 'b'].map((what) =>
    seal<ToyMessage>(voteFor(1, what), 2, signature),
  );
  if (first === undefined || second === undefined) throw new Error('two were made');
  const made = { signer: 2, about: 'vote/0/1', first, second };
  const forged = encodeProof(made, toy, { domain: toyDomain, publicKey: small });
  expect(verifyProof(forged, toy)).toEqual({ reason: expect.stringContaining('small order') });
});

test('a proof says what is wrong with it', () => {
  const reason = (of: Uint8Array, protocol = toy, options = {}) => {
    const verdict = verifyProof(of, protocol, options);
    return isProven(verdict) ? 'holds' : verdict.reason;
  };
  const { vows: _, ...silent } = toy;
  const changed = (more: Partial<ProofRecord>) =>
    encode(proofField, { ...decode(proofField, bytes), ...more });
  expect(reason(changed({}))).toBe('holds');
  expect(reason(bytes.slice(0, -1))).toContain('end too early');
  expect(reason(changed({ schema: 'other/1' }))).toContain('is not the schema quorumlab.proof/1');
  expect(reason(bytes, { ...toy, name: 'raft' })).toBe('a proof about toy 1, not raft');
  expect(reason(bytes, silent as typeof toy)).toContain('do not contradict each other');
  expect(reason(bytes, toy, { publicKeys: new Map() })).toContain('not that of principal 2');
  const { first } = decode(proofField, bytes);
  expect(reason(changed({ first: { ...first, kind: 'nobody' } }))).toContain('was not signed');
  expect(reason(changed({ first: { ...first, kind: 'veto' } }))).toContain('was not signed');
  // An error of the protocol's own is no verdict.
  const broken = (): never => {
    throw new RangeError('ours');
  };
  expect(() => verifyProof(bytes, { ...toy, vows: broken })).toThrow('ours');
});

test('innocent messages prove nothing', () => {
  const make = (first: Signed<ToyMessage>, second: Signed<ToyMessage>, about = 'vote/0/1') =>
    verifyProof(encodeProof({ signer: 2, about, first, second }, toy, place), toy);
  const one = said(liar, voteFor(1, 'a'));
  const forged = { ...said(liar, voteFor(1, 'b')), signature: new Uint8Array(64) as Signature };
  expect(make(one, one)).toHaveProperty('reason');
  expect(make(one, said(liar, voteFor(2, 'b')))).toHaveProperty('reason');
  expect(make(one, said(realKeyring(1), voteFor(1, 'b')))).toHaveProperty('reason');
  expect(make(one, forged)).toHaveProperty('reason');
  expect(make(proof.first, proof.second, 'vote/0/2')).toHaveProperty('reason');
  const keys = new Map([[2, publicKeys.get(1) as Uint8Array]]);
  expect(verifyProof(bytes, toy, { publicKeys: keys })).toHaveProperty('reason');
  expect(verifyProof(bytes, toy, { domain: { ...toyDomain, epoch: 4 } })).toHaveProperty('reason');
  expect(verifyProof(bytes, { ...toy, version: 2 })).toHaveProperty('reason');
  expect(verifyProof(bytes, { ...toy, vows: () => [] })).toHaveProperty('reason');
});
