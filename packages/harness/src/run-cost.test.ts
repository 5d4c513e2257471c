import { expect, test } from 'vitest';
import { completeScenario, costOfProtocol, costOfRun, protocols, runScenario } from './index.ts';

const options = { count: 30, clients: 1, workload: 'writes' } as const;

test('a calm run of PBFT and of HotStuff costs what its commits cost alone', () => {
  for (const protocol of ['pbft', 'hotstuff']) {
    const { total } = costOfProtocol({ protocol });
    const run = costOfRun(runScenario(completeScenario({ protocol, ...options })));
    // No elections and no heartbeats: the one thing that a whole run has on top of its commits.
    expect(run.messagesPerCommit).toBe(total.messages);
    expect(run.signaturesPerCommit).toBe(total.signed);
  }
});

test('a protocol that trusts the channel has no signatures, in runs and in commits alone', () => {
  for (const { name: protocol, claims } of protocols) {
    const signs = claims.faults === 'byzantine';
    expect(costOfProtocol({ protocol, commits: 2 }).total.signed > 0).toBe(signs);
    for (const crypto of ['ideal', 'ed25519'] as const)
      for (const attack of ['none', 'equivocating-leader']) {
        const scenario = completeScenario({ protocol, crypto, attack, count: 2 });
        const { signatures, messages } = costOfRun(runScenario(scenario));
        expect(signatures > 0, `${protocol} ${crypto} ${attack}`).toBe(signs);
        expect(messages).toBeGreaterThan(0);
      }
  }
});
