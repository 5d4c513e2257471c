/** A member that says all it can think of, as fast as its peers take it. */
import type { Random, Signature, Tagged } from '@quorumlab/core';
import { serviced } from '@quorumlab/log';
import { createLogger, defaultHostLimits, readKeyFile, startMesh } from '@quorumlab/node';
import { domainOf, envelopes } from '@quorumlab/wire';
import { identityOf, paths, protocolIn, readConfig } from '../../../packages/cluster/src/config.ts';

/** See {@link floodAs}. */
export interface Flood {
  /** Frames that its peers' queues took. */
  sent(): number;
  stop(): Promise<void>;
}

/** The same numbers in every run. */
function numbers(): Random {
  let word = 7;
  return {
    below: (limit) => {
      word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
      return word % limit;
    },
  };
}

/** Different frames that are sent in turns. */
const frameCount = 512;

/**
 * Joins the running cluster in `folder` under the key of member `self`, whose process must be down,
 * and sends well-formed messages of every kind to all others until told to stop. For groups whose
 * channel is the proof of who speaks: nothing is signed.
 */
export async function floodAs(folder: string, self: number): Promise<Flood> {
  const config = await readConfig(folder);
  const protocol = protocolIn(config);
  const cluster = identityOf(config);
  const { messages } = serviced(protocol);
  const writing = envelopes<Tagged>(domainOf(protocol, cluster), messages);
  const random = numbers();
  const signature = new Uint8Array(0) as Signature;
  const frames = Array.from({ length: frameCount }, () =>
    writing.encode({ ...messages.sample(random), from: self, signature }),
  );
  const mesh = await startMesh({
    secretKey: await readKeyFile(paths.key(paths.node(folder, self))),
    self,
    listen: cluster.members[self]?.address ?? '',
    principals: [...cluster.members, ...cluster.clients],
    maxFrameBytes: defaultHostLimits.maxFrameBytes,
    onFrame: () => undefined,
    logger: createLogger({ level: 'silent' }),
  });
  let going = true;
  let sent = 0;
  let next = 0;
  const round = (): void => {
    if (!going) return;
    for (let i = 0; i < frameCount; i++) {
      const frame = frames[next++ % frameCount] as Uint8Array;
      for (const to of mesh.connected()) if (mesh.send(to, frame)) sent++;
    }
    setImmediate(round);
  };
  round();
  return {
    sent: () => sent,
    stop: () => {
      going = false;
      return mesh.stop();
    },
  };
}
