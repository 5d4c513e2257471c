/**
 * How a client of a group that changes learns whom to ask: from those whom it asks, as many of them
 * as it takes to believe a reply. So no member of a group that survives lies invents members alone.
 */
import { toHex } from '@quorumlab/core';
import { decodeAbout, type RunningClient } from '@quorumlab/node';
import { type ClusterConfig, identityOf, protocolIn } from './config.ts';
import { clusterDigest, decodeReport, type RemoteReport } from './remote-report.ts';

/** A client that can be told whom to ask. */
type Follower = Pick<RunningClient<unknown, unknown, unknown>, 'admit' | 'drop' | 'ask'>;

/** How often it asks, in milliseconds. */
const askingMs = 1_000;

/**
 * Asks those whom `client` knows who has come and who has left, now and then, until the function
 * that this gives is called.
 */
export function followGroup(client: Follower, config: ClusterConfig): () => void {
  const known = new Map(identityOf(config).members.map((member) => [member.id, member]));
  const digest = clusterDigest(config);
  const { matching } = protocolIn(config).client;
  const left = new Set<number>(config.left);
  const heed = (report: RemoteReport): void => {
    for (const { member: id, about } of report.came) {
      const found = decodeAbout(about);
      if (found !== undefined && !known.has(id)) {
        known.set(id, { id, ...found });
        client.admit({ id, ...found });
      }
    }
    for (const id of report.left) {
      if (left.has(id)) continue;
      left.add(id);
      client.drop(id);
    }
    for (const id of left)
      if (!report.left.includes(id)) {
        left.delete(id);
        const back = known.get(id);
        if (back !== undefined) client.admit(back);
      }
  };
  let asking = false;
  const look = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    const reports: RemoteReport[] = [];
    for (const id of known.keys()) {
      if (left.has(id)) continue;
      // Who cannot be asked now is asked again.
      const bytes = await client.ask(id, askingMs).catch(() => undefined);
      const report = bytes === undefined ? undefined : decodeReport(bytes);
      if (report !== undefined && report.cluster === digest) reports.push(report);
    }
    const newest = newestOf(reports, matching);
    if (newest !== undefined) heed(newest);
    asking = false;
  };
  const timer = setInterval(() => void look(), askingMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What is looked at of a report. */
type Told = Pick<RemoteReport, 'came' | 'left' | 'applied'>;

/**
 * The newest of `reports`, one a member, of which `matching` say the same of who came and who left.
 * Who lags behind may not know yet who has come, and would take back who has left: so of two things
 * that so many say, that one counts of which so many have applied more.
 */
export function newestOf<R extends Told>(reports: readonly R[], matching: number): R | undefined {
  const kinds = new Map<string, R[]>();
  for (const report of reports) {
    const came = report.came.map(({ member, about }) => `${member}:${toHex(about)}`);
    const key = `${came.join()} ${report.left.join()}`;
    kinds.set(key, [...(kinds.get(key) ?? []), report]);
  }
  let newest: R | undefined;
  for (const same of kinds.values()) {
    same.sort((one, two) => two.applied - one.applied);
    // A liar may say to have applied anything: what counts is what all of so many have reached.
    const reached = same[matching - 1];
    if (reached !== undefined && reached.applied > (newest?.applied ?? -1)) newest = reached;
  }
  return newest;
}
