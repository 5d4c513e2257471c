import {
  certificate,
  type Infer,
  integer,
  message,
  messages,
  type Protocol,
  type Request,
  request,
  type Shape,
  signed,
} from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { sealedKeys } from './sealed-keys.ts';

describe('the signatures of a stage', () => {
  const cast = message('cast', { number: integer() });
  const quote = message('quote', { said: signed(cast), asked: signed(request) });
  const sum = message('sum', { votes: certificate(cast, 4) });
  const all = messages(cast, quote, sum);
  type Message = Infer<typeof all>;
  const protocol = {
    messages: all,
    evidence: (of: Message) =>
      of.kind === 'quote' ? [of.said, of.asked] : of.kind === 'sum' ? [of.votes] : [],
  };
  const keys = sealedKeys(protocol as unknown as Protocol<Shape>);
  const vote = (number: number, from: number) => keys.sign({ kind: 'cast' as const, number }, from);

  test('hold for what was signed by whom, also inside, and for nothing else', () => {
    const order: Request = {
      kind: 'request',
      client: 70_000,
      sequence: 1,
      acknowledged: 0,
      operations: [],
    };
    const asked = keys.sign(order, 70_000);
    const quoted = (said: object, of: object = asked) =>
      keys.check(keys.sign({ kind: 'quote', said, asked: of } as never, 2));
    const good = vote(5, 1);
    expect(keys.check(good)).toBe(true);
    expect([keys.check({ ...good, from: 2 }), keys.check({ ...good, number: 6 } as never)]).toEqual(
      [false, false],
    );
    expect(quoted(good)).toBe(true);
    expect([quoted({ ...good, from: 2 }), quoted({ ...good, number: 6 })]).toEqual([false, false]);
    expect(quoted(good, { ...asked, sequence: 2 })).toBe(false);
    const seals = [0, 1, 3].map((from) => ({ from, signature: vote(5, from).signature }));
    const summed = (number: number, of: readonly object[]) =>
      keys.check(
        keys.sign(
          { kind: 'sum', votes: { body: { kind: 'cast', number }, seals: of } } as never,
          0,
        ),
      );
    expect(summed(5, seals)).toBe(true);
    expect(summed(6, seals)).toBe(false);
    expect(summed(5, [...seals.slice(0, 2), { ...seals[2], from: 2 }])).toBe(false);
    expect(vote(300, 1).signature).not.toEqual(vote(5, 300).signature);
    expect(keys.nameOf(Uint8Array.of(1))).toBe(keys.nameOf(Uint8Array.of(1)));
    expect(keys.nameOf(Uint8Array.of(1))).not.toBe(keys.nameOf(Uint8Array.of(2)));
  });
});
