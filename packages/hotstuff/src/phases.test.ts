/** Algorithm 2 of "HotStuff", step by step: what a certificate of each phase makes a replica do. */
import { describe, expect, it } from 'vitest';
import { make, votesIn } from '../test/group.ts';
import { batchOf, certificate, hashOf, newView, proposal, timeouts } from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import { genesisHash } from './blocks.ts';
import { Phase, type QuorumCertificate, type Vote } from './messages.ts';

const block = { set: 1, view: 1, height: 1, parent: genesisHash, batch: batchOf(1) };
const first = proposal({ block, justify: null });
const vote = (phase: number): Vote => ({
  ...{ kind: 'vote', set: 1, phase, view: 1, block: hashOf(block), justifyView: 0 },
});
const qc = (network: Network, phase: number): QuorumCertificate =>
  certificate(network, vote(phase));
const basic = (): Network => make({ rules: 'basic' });

describe('a replica of basic HotStuff', () => {
  it('votes in each phase to the leader of the view itself', () => {
    const network = basic();
    expect(votesIn(network.wouldAnswer(0, 2, first))).toEqual([[0, vote(Phase.prepare)]]);
    network.inject(0, 2, first);
    const justify = qc(network, Phase.prepare);
    expect(votesIn(network.wouldAnswer(0, 2, { kind: 'pre-commit', justify }))).toEqual([
      [0, vote(Phase.preCommit)],
    ]);
  });

  it('locks on the precommitQC and executes upon the commitQC, not before', () => {
    const network = basic();
    network.inject(0, 2, first);
    network.inject(0, 2, { kind: 'pre-commit', justify: qc(network, Phase.prepare) });
    expect(network.state(2)).toMatchObject({ view: 1, locked: { view: 0 } });
    network.inject(0, 2, { kind: 'commit', justify: qc(network, Phase.preCommit) });
    expect(network.state(2)).toMatchObject({
      ...{ view: 1, locked: { view: 1, block: hashOf(block) }, committed: { height: 0 } },
    });
    network.inject(0, 2, { kind: 'decide', justify: qc(network, Phase.commit) });
    expect(network.state(2)).toMatchObject({ view: 2, committed: { height: 1 } });
  });

  it('votes on what it has missed as soon as any message brings it, and once', () => {
    const network = basic();
    const shown = newView(qc(network, Phase.preCommit));
    expect(votesIn(network.wouldAnswer(3, 2, shown))).toEqual([[0, vote(Phase.commit)]]);
    network.inject(3, 2, shown);
    expect(votesIn(network.wouldAnswer(1, 2, shown))).toEqual([]);
  });

  it('says the same vote again after a restart, and no other one in that phase', () => {
    const network = basic();
    network.inject(0, 2, first);
    network.inject(0, 2, { kind: 'pre-commit', justify: qc(network, Phase.prepare) });
    network.stop(2);
    network.restart(2);
    const other = { ...vote(Phase.prepare), block: 'c'.repeat(64) };
    const sent = network.wouldAnswer(0, 2, {
      ...{ kind: 'pre-commit', justify: certificate(network, other) },
    });
    expect(votesIn(sent)).toEqual([]);
  });

  it('takes a certificate of a phase from its leader only, in the message of the phase', () => {
    const network = basic();
    const justify = qc(network, Phase.prepare);
    network.inject(1, 2, { kind: 'pre-commit', justify });
    network.inject(0, 2, { kind: 'decide', justify });
    network.inject(0, 2, { kind: 'pre-commit', justify: certificate(network, vote(0), [0, 1]) });
    expect(network.state(2).high).toBeNull();
  });

  it('votes in no phase of a view that it has given up', () => {
    const network = basic();
    network.inject(0, 2, first);
    for (const from of [1, 3])
      network.inject(from, 2, { kind: 'timeout', set: 1, view: 3, highView: 0 });
    expect(network.state(2).lastTimeout?.view).toBe(3);
    const justify = qc(network, Phase.prepare);
    expect(votesIn(network.wouldAnswer(0, 2, { kind: 'pre-commit', justify }))).toEqual([]);
  });

  it('believes a timeout that knows the prepareQC of its own view, and nothing later', () => {
    const network = basic();
    network.inject(1, 2, newView(null, timeouts(network, 3, { 0: 3, 1: 0, 3: 0 })));
    expect(network.state(2).view).toBe(4);
    network.inject(1, 2, newView(null, timeouts(network, 7, { 0: 8, 1: 0, 3: 0 })));
    expect(network.state(2).view).toBe(4);
  });
});
