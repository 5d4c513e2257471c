/**
 * What the fuzz of the whole stack is aimed at, in a process of its own: the honest replicas of one
 * group, and an honest client of theirs. Answers each `ask` with what it costs them by now.
 */
import { keyValueStore, kv, LogFullError } from '@quorumlab/log';
import { connectClient, createLogger, type RunningNode, startNode } from '@quorumlab/node';
import { seedOf } from '../../../packages/node/test-support/cluster.ts';
import { type Ask, groupOf, HONEST, type Report, type Start, tolerant } from './group.ts';

const { name, n, honest, folder, principals } = JSON.parse(process.argv[2] ?? '{}') as Start;
const { protocol, cluster } = groupOf(name, n, principals);

const tell = (report: Report): void => void process.send?.(report);
const logger = createLogger({
  level: 'fatal',
  destination: { write: (line) => tell({ type: 'fatal', line }) },
});

const nodes: RunningNode<never, Uint8Array, Uint8Array, Uint8Array>[] = [];
for (const self of honest)
  nodes.push(
    (await startNode({
      protocol,
      self,
      cluster,
      secretKey: seedOf(self),
      folder: `${folder}/${self}`,
      stateMachine: keyValueStore,
      logger,
      meshLimits: tolerant,
    })) as never,
  );
const client = await connectClient({
  protocol,
  cluster,
  self: HONEST,
  secretKey: seedOf(HONEST),
  logger,
  meshLimits: tolerant,
});
await client.ready(honest.length);

const total = (of: (node: (typeof nodes)[number]) => number): number =>
  nodes.reduce((sum, node) => sum + of(node), 0);

/** What is in use after a collection: what peers have filled, and not what waits to be freed. */
function held(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

let asked = 0;

/** An honest request is answered, whatever happens beside it; that the log is full is an answer. */
async function write(): Promise<void> {
  try {
    await client.propose(kv.put(`key ${asked++ % 16}`, 'value'));
  } catch (error) {
    if (!(error instanceof LogFullError)) throw error;
  }
}

process.on('message', async (ask: Ask) => {
  if (ask.write) await write();
  tell({
    type: 'report',
    cpu: Math.round(process.cpuUsage().user / 1000),
    held: ask.measure ? held() : 0,
    framesIn: total((node) => node.status().counters.mesh.framesIn),
    steps: total((node) => node.status().counters.steps),
    resets: total((node) => node.status().counters.mesh.resets),
    refused: total((node) =>
      Object.values(node.status().counters.refused).reduce((sum, one) => sum + one, 0),
    ),
    stopped: nodes.flatMap((node) => {
      const { failure } = node.status();
      return failure === undefined ? [] : [`${failure.name}: ${failure.message}`];
    }),
  });
});
process.on('disconnect', () => process.exit(0));
tell({ type: 'up' });
