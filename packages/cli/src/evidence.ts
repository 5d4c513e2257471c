/** The traces of a result's runs, for reports that draw them. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { runScenario, type Scenario } from '@quorumlab/harness';
import { type Evidence, evidenceOf } from '@quorumlab/report';
import type { Result } from '@quorumlab/report/result';
import { traceBuffer } from '@quorumlab/sim';
import { readText } from './files.ts';

/** Bytes of a trace that is drawn, at most. */
const mostBytes = 32 * 1024 * 1024;

/** Operations of a run that is shown although nothing went wrong in it, at most. */
const mostOperations = 200;

/**
 * What there is to show of each counterexample and of each single run, by the place of its row:
 * from its trace where that is a file, here or in one of `folders`, and else by running it again.
 */
export function evidenceFor(
  result: Result,
  folders: readonly string[] = [],
): ReadonlyMap<number, Evidence | string> {
  const all = new Map<number, Evidence | string>();
  for (const [place, row] of result.verdicts.entries()) {
    const { counterexample, protocol, attack, runs, digest } = row;
    const trace = counterexample?.trace;
    const file = trace === undefined ? undefined : fileIn(trace, folders);
    if (file !== undefined) {
      const found = evidenceOf(readText(file));
      // The file may have been written anew since, by another run.
      const scenario = typeof found === 'string' ? undefined : found.trace.header.scenario;
      all.set(place, isOf(scenario, protocol, attack) ? found : notOf(found, file));
    } else if (trace !== undefined) all.set(place, `${trace} is not here`);
    else if (runs === 1 && !Array.isArray(result.scenario)) {
      const scenario = result.scenario as Scenario;
      // A long run in which nothing went wrong is read by nobody.
      if (counterexample === undefined && scenario.count > mostOperations) continue;
      const buffer = traceBuffer();
      const again = runScenario(scenario, { trace: buffer });
      if (again.digest === digest) all.set(place, evidenceOf(buffer.text()));
    }
  }
  return all;
}

const notOf = (found: Evidence | string, file: string): string =>
  typeof found === 'string' ? found : `${file} is of another run`;

function isOf(scenario: unknown, protocol: string, attack: string): boolean {
  if (typeof scenario !== 'object' || scenario === null) return false;
  const { protocol: ran, attack: under } = scenario as Readonly<Record<string, unknown>>;
  return ran === protocol && under === attack;
}

/** Where a trace is: a file, and none of those that never end. */
function fileIn(trace: string, folders: readonly string[]): string | undefined {
  return [trace, ...folders.map((folder) => join(folder, trace))].find((path) => {
    try {
      const there = statSync(path);
      return there.isFile() && there.size <= mostBytes;
    } catch {
      return false;
    }
  });
}
