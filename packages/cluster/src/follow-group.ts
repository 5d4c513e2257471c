/** How a client of a group that changes learns whom to ask: from those whom it asks. */
import { decodeAbout, type RunningClient } from '@quorumlab/node';
import { type ClusterConfig, identityOf } from './config.ts';
import { clusterDigest, decodeReport, type RemoteReport } from './remote-report.ts';

/** A client that can be told whom to ask. */
type Follower = Pick<RunningClient<unknown, unknown, unknown>, 'admit' | 'drop' | 'ask'>;

/** How often it asks, in milliseconds. */
const askingMs = 1_000;

/**
 * Asks those whom `client` knows who has come and who has left, now and then, until the function
 * that this gives is called. Members of such groups are trusted: they are built for crashes.
 */
export function followGroup(client: Follower, config: ClusterConfig): () => void {
  const known = new Map(identityOf(config).members.map((member) => [member.id, member]));
  const digest = clusterDigest(config);
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
    let newest: RemoteReport | undefined;
    for (const id of known.keys()) {
      if (left.has(id)) continue;
      // Who cannot be asked now is asked again.
      const bytes = await client.ask(id, askingMs).catch(() => undefined);
      const report = bytes === undefined ? undefined : decodeReport(bytes);
      if (report === undefined || report.cluster !== digest) continue;
      // Who lags behind may not know yet who has come, and would take back who has left.
      if (newest === undefined || report.applied > newest.applied) newest = report;
    }
    if (newest !== undefined) heed(newest);
    asking = false;
  };
  const timer = setInterval(() => void look(), askingMs);
  timer.unref();
  return () => clearInterval(timer);
}
