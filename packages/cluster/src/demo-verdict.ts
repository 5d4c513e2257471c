/** What the logs of real processes show, as the rows in which simulated runs are told. */
import { type Describe, ofOneClient, upper95 } from '@quorumlab/checker';
import { fromHex, type Request, toHex, toUtf8 } from '@quorumlab/core';
import {
  agreementOf,
  claimOf,
  protocolOf,
  type Scenario,
  type VerdictRow,
} from '@quorumlab/harness';
import { sha256 } from '@quorumlab/wire';
import type { ProvenRow } from './evidence.ts';
import type { LoggedSlot, NodeReport } from './reports.ts';

/** What a verdict is given on. */
export interface Collected {
  readonly scenario: Scenario;
  /** Of the honest nodes. */
  readonly logs: ReadonlyMap<number, readonly LoggedSlot[]>;
  readonly proofs: readonly ProvenRow[];
  readonly reports: readonly NodeReport[];
}

/**
 * `forked` if the checker finds two honest logs that differ, `ok` if every honest log holds a
 * request of each client, `inconclusive` if neither.
 */
export function verdictOf({ scenario, logs, proofs, reports }: Collected): VerdictRow {
  const { protocol, n, f, seed, clients } = scenario;
  const texts = new Map<Request, string>();
  // Logs of nodes hold digests of what clients asked for: the application cannot be asked.
  const describe: Describe = (request) => texts.get(request) ?? '';
  const check = agreementOf(protocolOf(protocol).claims, describe, ofOneClient);
  for (const [seat, slots] of logs)
    for (const { slot, requests } of slots)
      check.decided?.(0, seat, { slot, commands: requests.map((each) => requestOf(each, texts)) });
  const { violation } = check;
  const complete = [...logs.values()].every(
    (slots) =>
      new Set(slots.flatMap(({ requests }) => requests.map(({ client }) => client))).size >=
      clients,
  );
  const word = violation?.word ?? (complete ? 'ok' : 'inconclusive');
  const hits = violation === undefined ? 0 : 1;
  const { claimed, why } = claimOf(scenario);
  const row: VerdictRow = {
    protocol,
    n,
    f,
    attack: scenario.attack,
    word,
    expected: word === 'ok' || word === 'inconclusive' || !claimed,
    claimed,
    ...(why === undefined ? {} : { why }),
    runs: 1,
    hits,
    fired: reports.some(({ fired }) => fired > 0) ? 1 : 0,
    upper95: upper95(hits, 1),
    digest: digestOfLogs(logs),
    seed,
  };
  if (violation === undefined) return row;
  const { rule, sentence, slot, seats } = violation;
  return {
    ...row,
    counterexample: {
      rule,
      sentence,
      ...(slot === undefined ? {} : { slot }),
      seats,
      events: reports.reduce((sum, { steps }) => sum + steps, 0),
      seed,
      replay: 'quorumlab demo --real',
      culprits: [...new Set(proofs.map(({ signer }) => signer))].sort((one, two) => one - two),
      proofs: proofs.map(({ proof: _, ...shown }) => shown),
    },
  };
}

/** A request of which only the digest is known stands for the whole: the checker compares. */
function requestOf(
  { client, sequence, digest, text }: LoggedSlot['requests'][number],
  texts: Map<Request, string>,
): Request {
  const operations = [fromHex(digest)];
  const request: Request = { kind: 'request', client, sequence, acknowledged: 0, operations };
  texts.set(request, text === '' ? '(altered)' : text);
  return request;
}

const digestOfLogs = (logs: ReadonlyMap<number, readonly LoggedSlot[]>): string =>
  toHex(
    sha256(
      toUtf8(
        JSON.stringify(
          [...logs].map(([node, slots]) => [
            node,
            slots.map(({ slot, requests }) => [slot, requests.map(({ digest }) => digest)]),
          ]),
        ),
      ),
    ),
  );
