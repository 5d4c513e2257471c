import { SchemaError, type Signature, type Signed } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { encodeProof, isProven, verifyProof } from './proof.ts';
import { proofFromJson, proofToJson } from './proof-json.ts';
import {
  publicKeys,
  realKeyring,
  said,
  type ToyMessage,
  toy,
  toyDomain,
  voteFor,
} from './toy.test.ts';
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
