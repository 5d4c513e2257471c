// One leader lies: it signs "Ann" for half of the replicas and "Bob" for the rest. The same attack
// and the same seed, once against Raft and once against PBFT.
import { completeScenario, runScenario } from 'quorumlab';

for (const name of ['raft', 'pbft']) {
  const scenario = completeScenario({
    protocol: name,
    attack: 'equivocating-leader',
    by: [0],
    count: 2,
    seed: '42',
  });
  const { word, expected, fired, violation, proofs } = runScenario(scenario, { proofs: true });
  const group = `n=${scenario.n}, f=${scenario.f}`;
  console.log(`${name} (${group}): ${word} (${expected ? 'expected' : 'a broken promise'})`);
  if (violation) console.log(`  ${violation.sentence}`);
  // An attack that never acted proves nothing, so every result says whether it did.
  if (fired === 0) console.log('  the leader never got to lie');
  for (const { signer, about } of proofs.slice(0, 1))
    console.log(`  proof: n${signer} signed two statements about ${about}`);
}
