import { expect, test } from 'vitest';
import { completeScenario } from './defaults.ts';
import { readOption } from './options.ts';
import { protocols } from './protocols.ts';
import { runScenario } from './run.ts';

test('every option of every protocol has a note, and no note is of another', () => {
  for (const { name, options, notes } of protocols)
    expect(Object.keys(notes).sort(), name).toEqual(Object.keys(options).sort());
});

test('an option is what its note says unless told: the run is the same, byte for byte', () => {
  for (const entry of protocols) {
    const faults = [
      { type: 'crash', at: 100_000, node: 'leader' },
      { type: 'restart', at: 400_000, node: 'leader' },
    ] as const;
    const plain = completeScenario({ protocol: entry.name, network: 'lossy', count: 12, faults });
    const { digest } = runScenario(plain, { lines: false });
    for (const [option, { usual }] of Object.entries(entry.notes)) {
      if (usual === undefined) continue;
      const options = readOption(entry, `${option}=${usual}`);
      const told = runScenario({ ...plain, options }, { lines: false });
      expect({ option, digest: told.digest }).toEqual({ option, digest });
    }
  }
});
