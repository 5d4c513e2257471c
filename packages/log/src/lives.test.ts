/** What a client does so that no life of it takes another's answers: see `Start.incarnation`. */
import { encode, lifeOf } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { living } from '../test/living.ts';
import { sessionNumber } from './messages.ts';

const number = (value: number): Uint8Array => encode(sessionNumber, value);
const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};

describe('a client', () => {
  test('that has never lived asks nobody for a session', () => {
    const { operations, session } = only(living().submit());
    expect([operations.length, session]).toEqual([1, undefined]);
  });

  test('that is told the number of its session asks nobody either', () => {
    const { session, sequence } = only(living(5, { session: 3 }).submit());
    expect([session, lifeOf(sequence)]).toEqual([3, 5]);
  });

  test('that may have lived asks for one first, and everything goes in it', () => {
    const { submit, answer } = living(5);
    const question = only(submit());
    expect([question.operations, lifeOf(question.sequence)]).toEqual([[], 5]);
    expect(submit()).toEqual([]);
    const { session, operations, sequence, acknowledged } = only(answer(question, number(3)).said);
    expect([session, operations.length, acknowledged]).toEqual([3, 2, sequence]);
  });

  test('asks again when nobody answers, or what is no answer', () => {
    const { submit, answer, step } = living(5);
    const question = only(submit());
    expect(answer(question, new Uint8Array([255, 255])).said).toEqual([]);
    const { sends } = step({ type: 'timeout', timer: 'service/client' }, 10_000_000);
    expect(sends[0]?.message).toBe(question);
    expect(only(answer(question, number(0)).said).operations).toHaveLength(1);
  });

  test('goes on in the next session when its own was given to another', () => {
    const { submit, answer, refuse } = living(5);
    const first = only(answer(only(submit()), number(3)).said);
    const second = only(submit(new Uint8Array([2])));
    const { said, answers } = refuse(first, 'session-taken', 7);
    expect(answers).toEqual([]);
    const again = only(said);
    expect(again).toMatchObject({
      session: 7,
      operations: [[1], [2]].map((b) => Uint8Array.of(...b)),
    });
    expect(again.sequence).toBeGreaterThan(second.sequence);
    // What is said of the request that is no more does not count.
    expect(refuse(second, 'session-taken', 9).said).toEqual([]);
    expect(answer(again, new Uint8Array()).answers).toHaveLength(2);
  });

  test('goes on where one honest replica is, whatever a liar and a laggard say', () => {
    const { submit, refuse } = living(5, { session: 0 }, 2);
    const request = only(submit());
    expect(refuse(request, 'session-taken', 2 ** 40, 0).said).toEqual([]);
    expect(refuse(request, 'session-taken', 2 ** 41, 0).said).toEqual([]);
    expect(only(refuse(request, 'session-taken', 3, 1).said).session).toBe(3);
    const other = living(5, { session: 0 }, 2);
    const asked = only(other.submit());
    // Reasons must agree: the one who lies can neither refuse nor stop a refusal.
    expect(other.refuse(asked, 'log-full', 0, 0).answers).toEqual([]);
    expect(other.refuse(asked, 'too-old', 0, 1).answers).toEqual([]);
    expect(only(other.refuse(asked, 'too-old', 0, 2).answers)).toMatchObject({
      forgotten: 'too-old',
    });
  });

  test('tells its caller when its session was closed, and asks for another', () => {
    const { submit, answer, refuse } = living(5);
    const first = only(answer(only(submit()), number(3)).said);
    const { said, answers } = refuse(first, 'session-expired', 40);
    expect(only(answers)).toMatchObject({ id: 0, forgotten: 'session-expired' });
    expect(said).toEqual([]);
    expect(only(submit()).operations).toEqual([]);
  });

  test('takes no answer that is about other operations', () => {
    const { submit, answer, refuse } = living();
    const request = only(submit());
    const other = { ...request, operations: [new Uint8Array([9])] };
    expect(answer(other, new Uint8Array()).answers).toEqual([]);
    expect(refuse(other, 'sequence-reused', 0).answers).toEqual([]);
    expect(only(refuse(request, 'sequence-reused', 0).answers)).toMatchObject({
      refused: 'sequence-reused',
    });
  });

  test.each([5, 2 ** 24 - 1])(
    'that has used up the sequences of life %i takes the next',
    (life) => {
      const { machine, submit, answer } = living(life);
      const first = only(answer(only(submit()), number(3)).said);
      const { stable, volatile } = machine.snapshot();
      const requests = { ...volatile.requests, next: (life + 1) * 2 ** 24 };
      machine.restore({ stable, volatile: { ...volatile, requests } });
      // Nothing of the next life is said while something of this one is under way.
      expect(submit()).toEqual([]);
      const question = only(answer(first, new Uint8Array()).said);
      expect(question.operations).toEqual([]);
      expect(lifeOf(question.sequence)).toBe((life + 1) % 2 ** 24);
      expect(question.acknowledged).toBe(question.sequence);
      expect(only(answer(question, number(4)).said)).toMatchObject({ session: 4 });
    },
  );
});
