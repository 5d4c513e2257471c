/** What a running node remembers for whoever asks it, and the hooks that it hears it by. */
import type { LogShape } from '@quorumlab/log';
import type { NodeHooks } from '@quorumlab/node';
import type { AccusationRecord } from './accusations.ts';
import { type ClusterConfig, protocolIn } from './config.ts';
import { hearing, logView, storyRecord } from './node-record.ts';

/** See {@link keeping}. */
export type Keeping = ReturnType<typeof keeping>;

/** What is remembered for whoever asks. Story and evidence only where nodes may lie: they cost. */
export function keeping(
  config: ClusterConfig,
  self: number,
  attack: string | undefined,
  accused: AccusationRecord,
) {
  const protocol = protocolIn(config);
  const log = logView();
  const heard = hearing(protocol);
  const story = storyRecord(self, attack !== undefined, protocol.termWord);
  const state = { attack, lying: false, lastCommit: undefined as number | undefined };
  const hooks: NodeHooks<LogShape> = {
    decided(_at, decision) {
      // What this protocol decides are the clients' requests.
      log.add(decision);
      state.lastCommit = performance.now();
    },
    stepped(at, output, status) {
      if (output.accusations.length > 0) accused.add(output.accusations);
      if (config.allowFaults) story.stepped(at, output, status);
    },
    ...(config.allowFaults
      ? {
          heard: (message, frame) => heard.add(message, frame),
        }
      : {}),
  };
  return { protocol, log, heard, story, state, hooks, accused };
}
