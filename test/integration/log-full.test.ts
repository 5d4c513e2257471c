import { type Answer, ms, range } from '@quorumlab/core';
import { type AnyShape, completeScenario, prepare, runScenario } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { simulate } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';

const scenario = completeScenario({
  protocol: 'basic-paxos',
  network: 'lossy',
  clients: 4,
  until: ms(30_000),
});

/** Each client asks a replica, and each replica's own client asks too; returns their answers. */
function ask(seed: string): readonly Answer[] {
  const prepared = prepare({ ...scenario, seed });
  const answers: Answer[] = [];
  let next = 0;
  const seats = prepared.seats.length;
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    seed,
    limits: { until: scenario.until },
    strict: true,
    inputs: {
      next() {
        if (next >= seats) return undefined;
        const id = next++;
        const operation = kv.append('log', `${id};`);
        return { at: ms(1), seat: id, event: { type: 'submit', id, operation, readOnly: false } };
      },
      answered(_at, _seat, answer) {
        answers.push(answer);
        return undefined;
      },
    },
  });
  while (answers.length < seats && simulation.step());
  return answers;
}

describe('a log of length one', () => {
  test('answers one request, and every other with a refusal that is certain', () => {
    for (const i of range(20)) {
      const answers = ask(`${i}`);
      expect(answers).toHaveLength(scenario.n + scenario.clients);
      expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(1);
      for (const { error, ...rest } of answers)
        if (error !== undefined) {
          expect(error).toContain('the log is full');
          expect(rest).toMatchObject({ refused: 'log-full' });
        }
    }
  });

  test('lets every client of a run end, and the checkers judge it', () => {
    for (const workload of ['contest', 'writes', 'a']) {
      const result = runScenario({ ...scenario, workload, count: 200 });
      expect(result.word).toBe('ok');
      expect(result.answered).toBe(200);
    }
  });

  test('refuses a request of a client that has been answered before, and reads go on', () => {
    const { word, answered } = runScenario({ ...scenario, workload: 'b', count: 100, clients: 1 });
    expect(word).toBe('ok');
    expect(answered).toBe(100);
  });
});
