/** Runs of somebody's own code: a report shows them, and cannot run them again. */
import { isOurAttack, isOurProtocol, isOurWorkload, type VerdictRow } from '@quorumlab/harness';
import type { Result } from './result.ts';
import { replayOf, scenarioOfRow } from './rows.ts';

/** Why a page cannot run something again, and the line of a terminal that does. */
export interface Own {
  /** `the attack sleepy-first`, and others like it. */
  readonly parts: readonly string[];
  /** It names the modules, as the command did that made the result. */
  readonly line: string;
}

/** What of a row's runs is no code of this repository; nothing if all is. */
export function ownOf(result: Result, row: VerdictRow): Own | undefined {
  const workload = scenarioOfRow(result, row)?.workload;
  const parts = [
    ...(isOurProtocol(row.protocol) ? [] : [`the protocol ${row.protocol}`]),
    ...(isOurAttack(row.attack) ? [] : [`the attack ${row.attack}`]),
    ...(workload === undefined || isOurWorkload(workload) ? [] : [`the workload ${workload}`]),
  ];
  return parts.length === 0 ? undefined : { parts, line: replayOf(row) ?? result.command };
}
