import { equivocate } from '@quorumlab/adversary';
import { ms } from '@quorumlab/core';
import { keyValueStore, kv, type Serviced } from '@quorumlab/log';
import { type Pbft, pbft } from '@quorumlab/pbft';
import { raft } from '@quorumlab/raft';
import { digestOf } from '@quorumlab/wire';
import { describe, expect, it } from 'vitest';
import { simulateService } from './simulate-service.ts';

const value = new Uint8Array([7]);
const stateMachine = keyValueStore;

describe('a state machine of one’s own', () => {
  it('answers what was written, to every client, and the same in every run', () => {
    const run = (): string => {
      const options = { stateMachine, clients: 2, seed: 'twice' };
      const { simulation, submit, pass } = simulateService(raft({ n: 3 }), options);
      submit(kv.put('a', value));
      const read = submit(kv.get('a'), { client: 1, readOnly: true });
      expect(kv.result(read)).toEqual({ kind: 'value', value });
      const before = simulation.now;
      pass(ms(5));
      expect(simulation.now).toBeGreaterThan(before);
      return simulation.finish().digest;
    };
    expect(run()).toBe(run());
  });

  it('says why an operation was not answered', () => {
    const options = { stateMachine, until: ms(3000) };
    const { simulation, submit } = simulateService(raft({ n: 3 }), options);
    submit(kv.put('a', value));
    for (const seat of [0, 1, 2]) simulation.inject({ type: 'crash', at: simulation.now, seat });
    expect(() => submit(kv.get('a'))).toThrow(
      'operation 1 was not answered: the run ended before.',
    );
  });

  it('takes traitors', () => {
    const traitors = { 0: equivocate<Serviced<Pbft>>(() => true) };
    const protocol = pbft({ n: 4, digest: digestOf });
    const { simulation, submit } = simulateService(protocol, { stateMachine, traitors });
    submit(kv.put('a', value));
    submit(kv.put('b', value));
    expect(simulation.counters.fired.equivocate).toBeGreaterThan(0);
    expect(simulation.violation).toBeUndefined();
  });
});
