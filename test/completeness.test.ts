import { fileURLToPath } from 'node:url';
import { protocolOf, protocols, subjectsOf } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { readTree } from './architecture/tree.ts';
import { larger, matrix } from './claims/cells.ts';
import { formulas } from './formulas/formulas.ts';

/**
 * Whoever registers a protocol is told here what else it takes until the protocol is one of them.
 * What follows from the registry by itself (worlds, suites, attacks, fuzzing, benchmark rows,
 * commands) needs no line here.
 */
const tree = readTree(fileURLToPath(new URL('..', import.meta.url)));
const names = protocols.map(({ name }) => name);

/** Files that every protocol has a copy of its own of. */
const files = (name: string): readonly string[] => [
  `packages/${name}/README.md`,
  `packages/${name}/src/index.ts`,
  `packages/${name}/src/mutants.ts`,
  `packages/${name}/src/exhibits.ts`,
];

test('nine protocols at least are registered, each once', () => {
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(9);
});

describe.each(names)('%s is complete', (name) => {
  test.each(files(name))('%s is there', (file) => {
    expect(tree.has(file)).toBe(true);
  });

  test('its flaws have sentences, and schedules that show them', () => {
    const entry = protocolOf(name);
    for (const mutant of entry.mutants) {
      expect(entry.flaws[mutant]?.rule, mutant).toMatch(/[.]$/);
      expect(entry.exhibit(mutant), mutant).toBeDefined();
    }
  });

  test('the lines of its paper are looked for', () => {
    expect(tree.get('test/paper/paper.test.ts')).toContain(`'@quorumlab/${name}'`);
  });

  test('its claims are cells of the matrix, of larger groups too', () => {
    for (const cells of [matrix, larger])
      expect(cells.some(({ scenario }) => scenario.protocol === name)).toBe(true);
  });

  test('its costs have formulas', () => {
    for (const subject of subjectsOf(name)) expect(Object.keys(formulas)).toContain(subject.name);
  });

  test('it has wrong variants, which prove that tests test', () => {
    expect(protocols.find((each) => each.name === name)?.mutants.length).toBeGreaterThan(0);
  });

  test('its numbers are rows of the benchmark', () => {
    // Both lists are made from the registry.
    expect(tree.get('test/bench/main.ts')).toContain("from '@quorumlab/harness'");
  });
});
