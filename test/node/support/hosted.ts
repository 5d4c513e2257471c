/** This package's loop, mesh and disk as a host under the suite that all hosts must pass. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { range, type Shape } from '@quorumlab/core';
import { type Disk, openDisk, openLog } from '@quorumlab/disk';
import type { HostedGroup, HostSetup, MakeHost } from '@quorumlab/harness/testing';
import type { Principal } from '@quorumlab/node';
import { createLogger, defaultHostLimits, type Mesh, startMesh } from '@quorumlab/node';
import { channelKeyring, envelopes } from '@quorumlab/wire';
import { Notices } from '../../../packages/node/src/notices.ts';
import { Runner } from '../../../packages/node/src/runner.ts';
import { optionsOf, principals, until } from '../../../packages/node/test-support/cluster.ts';

interface Life<S extends Shape> {
  readonly runner: Runner<S>;
  readonly mesh: Mesh;
  readonly disk: Disk<S>;
}

const domain = { cluster: 'host', group: 'probe', epoch: 0, protocol: 'probe', version: 1 };

async function live<S extends Shape>(
  setup: HostSetup<S>,
  all: readonly Principal[],
  id: number,
  folder: string,
  failed: (error: Error) => void,
): Promise<Life<S>> {
  const disk = await openDisk<S>({
    open: (replay) => openLog(folder, { owner: `probe ${id}`, replay }),
    stored: setup.stored,
    initial: setup.initial(),
  });
  const keyring = channelKeyring<S['Message']>({
    self: id,
    faults: 'crash',
    knows: (principal) => principal < setup.n,
  });
  const runner = new Runner<S>({
    machine: setup.make(id, disk.stable),
    members: range(setup.n),
    keyring: () => keyring,
    envelopes: envelopes(domain, setup.messages),
    commit: (writes) => disk.commit(writes),
    limits: defaultHostLimits,
    hooks: {},
    notices: new Notices(createLogger({ level: 'silent' })),
    clockError: () => 1000,
    onFailure: failed,
  });
  const mesh = await startMesh({
    ...optionsOf(all, id),
    onFrame: (from, frame) => runner.receive(from, frame),
  });
  return { runner, mesh, disk };
}

/** Machines over real sockets and files. */
export const realHost: MakeHost = async <S extends Shape>(
  setup: HostSetup<S>,
): Promise<HostedGroup<S>> => {
  const all = await principals(setup.n);
  const home = await mkdtemp(join(tmpdir(), 'quorumlab-host-'));
  const lives = new Map<number, Life<S>>();
  const failures = new Map<number, string>();
  const connected = (): Promise<unknown> =>
    Promise.all([...lives.values()].map(({ mesh }) => mesh.ready(lives.size - 1)));
  const begin = async (id: number): Promise<void> => {
    failures.delete(id);
    const fail = (error: Error): void => void failures.set(id, `${error.name}: ${error.message}`);
    lives.set(id, await live(setup, all, id, join(home, `${id}`), fail));
  };
  const stop = async (id: number): Promise<void> => {
    const life = lives.get(id);
    lives.delete(id);
    life?.runner.stop();
    await life?.mesh.stop();
    await life?.disk.close();
  };
  /** Machines start to run only when all can hear them: the suite begins with a whole network. */
  const run = (id: number): void => {
    const life = lives.get(id);
    if (life !== undefined) life.runner.start(life.mesh);
  };
  await Promise.all(range(setup.n).map(begin));
  await connected();
  range(setup.n).forEach(run);
  return {
    propose: (id, command) => lives.get(id)?.runner.hand({ type: 'propose', command }),
    crash: stop,
    async restart(id) {
      await stop(id);
      await begin(id);
      await connected();
      run(id);
    },
    until: (condition) => until('what the suite waits for', condition),
    pass: (microseconds) => sleep(Math.ceil(microseconds / 1000)),
    failure: (id) => failures.get(id),
    async end() {
      await Promise.all(range(setup.n).map(stop));
      await rm(home, { recursive: true, force: true });
    },
  };
};
