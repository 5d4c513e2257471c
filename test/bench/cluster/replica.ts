/** One replica of the benchmark in a process of its own: told what to run, and when to report. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { blsScheme } from '@quorumlab/bls';
import { keyValueStore, type LogShape } from '@quorumlab/log';
import { createLogger, type RunningNode, startNode } from '@quorumlab/node';
import { type ControlServer, startControl } from '../../../packages/cluster/src/control-server.ts';
import { type Ask, benchProtocol, clusterOf, type Told } from './shared.ts';

let control: ControlServer | undefined;
let node: RunningNode<LogShape, Uint8Array, Uint8Array, Uint8Array> | undefined;

const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();

const tell = (told: Told): void => void process.send?.(told);

async function start(ask: Extract<Ask, { type: 'start' }>): Promise<void> {
  node = await startNode({
    protocol: benchProtocol(ask.protocol, ask.n, ask.options),
    self: ask.self,
    cluster: clusterOf(ask.principals),
    secretKey: Buffer.from(ask.secretKey, 'hex'),
    folder: ask.folder,
    stateMachine: keyValueStore,
    logger: createLogger({ level: 'error' }),
    backEnd: ask.backEnd,
    ...(ask.aggregates ? { certificates: await blsScheme() } : {}),
    ...(ask.signatures === undefined ? {} : { signatures: ask.signatures }),
    ...(ask.meshLimits === undefined ? {} : { meshLimits: ask.meshLimits }),
  });
  if (ask.control !== undefined)
    control = await startControl(ask.control, { status: () => node?.status() ?? {} });
  void node.failed.then((error) => tell({ type: 'failed', why: String(error) }));
  await node.ready(ask.peers);
  tell({ type: 'ready' });
}

process.on('message', (ask: Ask) => {
  if (ask.type === 'start') void start(ask);
  if (ask.type === 'usage') {
    if (ask.collect === true) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { heapUsed, external } = process.memoryUsage();
    const pause = delays.max / 1e6;
    delays.reset();
    const status = node?.status();
    tell({
      type: 'usage',
      cpu: user + system,
      at: performance.now(),
      rss: process.memoryUsage.rss(),
      held: heapUsed + external,
      pause,
      steps: status?.counters.steps ?? 0,
      ticks: status?.counters.ticks ?? 0,
      commits: status?.counters.commits ?? 0,
      leads: status?.leader === status?.self,
      term: status?.term ?? 0,
      applied: status?.applied ?? 0,
      refused: status?.counters.refused ?? {},
    });
  }
  if (ask.type === 'stop')
    void Promise.all([control?.stop(), node?.stop()]).then(() => process.disconnect?.());
});
