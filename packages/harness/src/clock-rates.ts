/** Whether the clocks of a scenario are as good as its leases say. */
import { attackOf } from './attacks.ts';
import { clockOf } from './network-and-clock.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { readsIn } from './reads.ts';
import type { Scenario } from './scenario.ts';

/**
 * Which clock is wrong by more than members that read by leases were told, in one sentence without
 * its full stop; nothing if none is, or nobody reads by leases.
 */
export function beyondDrift(scenario: Scenario, entry: ProtocolEntry): string | undefined {
  const { options = {}, protocol } = scenario;
  if (readsIn(scenario) !== 'lease') return undefined;
  const declared = Number(options.clockDrift ?? entry.notes.clockDrift?.usual);
  const [node, parts] = worstRate(scenario);
  if (parts <= declared) return undefined;
  return (
    `${protocol} reads by leases that allow a clock a rate wrong by ${declared} ppm ` +
    `(clockDrift), and that of n${node} is wrong by ${parts} ppm`
  );
}

/** Whose clock's rate is wrong by most at any time, and by how many parts in a million. */
function worstRate(scenario: Scenario): readonly [node: number, parts: number] {
  const { n, clocks, faults, attack } = scenario;
  let worst: readonly [number, number] = [0, 0];
  const note = (node: number, perBillion = 0): void => {
    const parts = Math.abs(perBillion) / 1000;
    if (parts > worst[1]) worst = [node, parts];
  };
  for (let node = 0; node < n; node++) note(node, clockOf(clocks, node)?.driftPerBillion);
  for (const fault of [...faults, ...(attackOf(attack).faults?.(scenario) ?? [])])
    if (fault.type === 'skew' && typeof fault.node === 'number')
      note(fault.node, fault.driftPerBillion);
  return worst;
}
