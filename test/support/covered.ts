/** After the last test: one row per protocol, which says what random worlds have covered. */
import type { Reporter, TestModule } from 'vitest/node';

/** What one test has covered, by what is counted. Tests of one subject are added up. */
export interface Covered {
  readonly subject: string;
  readonly counts: Readonly<Record<string, number>>;
}

declare module 'vitest' {
  interface TaskMeta {
    covered?: Covered;
  }
}

/** A heading and a row per subject, in columns; nothing if nothing was covered. */
export function coveredTable(all: readonly Covered[]): readonly string[] {
  const rows = new Map<string, Map<string, number>>();
  for (const { subject, counts } of all) {
    const row = rows.get(subject) ?? new Map<string, number>();
    for (const [what, count] of Object.entries(counts)) row.set(what, (row.get(what) ?? 0) + count);
    rows.set(subject, row);
  }
  const heads = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const cells = [...rows].map(([subject, row]) => [
    subject,
    ...heads.map((what) => (row.get(what) ?? 0).toLocaleString('en')),
  ]);
  const lines = cells.length === 0 ? [] : [['covered', ...heads], ...cells];
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]!.length))) ?? [];
  return lines.map(([first = '', ...rest]) =>
    [first.padEnd(widths[0]!), ...rest.map((cell, i) => cell.padStart(widths[i + 1]!))].join('  '),
  );
}

/** Prints {@link coveredTable} of all tests that say what they have covered. */
export class CoveredReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const all = modules.flatMap(({ children }) =>
      [...children.allTests()].flatMap((each) => each.meta().covered ?? []),
    );
    const byName = all.sort((one, two) => (one.subject < two.subject ? -1 : 1));
    for (const line of coveredTable(byName)) console.log(line);
  }
}
