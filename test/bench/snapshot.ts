/** The longest time for which a snapshot of a large state keeps a replica from everything else. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, Machine, Signature } from '@quorumlab/core';
import { type Disk, nodeFiles, openCells, openDisk, openLog } from '@quorumlab/disk';
import { keyValueStore, kv, type Serviced, serviced } from '@quorumlab/log';
import { fastDigestHash } from '@quorumlab/node';
import { type Raft, raft } from '@quorumlab/raft';
import { digests } from '@quorumlab/wire';
import type { Part } from './measure.ts';

type Shape = Serviced<Raft>;
const valueBytes = 30_000;

/** Milliseconds of CPU that this thread has used. */
function used(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A group of one, whose disk is real: every step is durable before the next one. */
class Alone {
  /** The most CPU time of a step and of giving what it wrote to the disk. */
  longest = 0;
  taken = 0;
  readonly #machine: Machine<Shape>;
  readonly #disk: Disk<Shape>;
  readonly #timers = new Set<Shape['Timer']>();
  #now = 0;

  constructor(machine: Machine<Shape>, disk: Disk<Shape>) {
    this.#machine = machine;
    this.#disk = disk;
  }

  async step(event: Event<Shape>): Promise<void> {
    this.#now += 1000;
    const events: Event<Shape>[] = [event];
    for (let next = events.shift(); next !== undefined; next = events.shift()) {
      const began = used();
      const clock = { earliest: this.#now, latest: this.#now };
      const output = this.#machine.step({ now: this.#now, clock, event: next });
      const durable = this.#disk.commit(output.writes);
      this.longest = Math.max(this.longest, used() - began);
      await durable;
      if (output.writes.some((each) => each.type === 'save' && 'serviceSnapshot' in each.registers))
        this.taken++;
      for (const { type, timer } of output.timers)
        if (type === 'set') this.#timers.add(timer);
        else this.#timers.delete(timer);
      for (const { to, message } of [...output.early, ...output.sends])
        if (to === 0 || to === 'all')
          // Nobody else is there to check it.
          events.push({
            type: 'message',
            message: { ...message, from: 0, signature: new Uint8Array() as Signature },
          } as Event<Shape>);
    }
  }

  /** Fires a timer if it is set. */
  async fire(timer: Shape['Timer']): Promise<boolean> {
    if (!this.#timers.delete(timer)) return false;
    await this.step({ type: 'timeout', timer });
    return true;
  }
}

async function longestPause(mebibytes: number, folder: string): Promise<number> {
  const values = Math.ceil((mebibytes * 2 ** 20) / valueBytes);
  const group = serviced(raft({ n: 1, snapshotEvery: values + 10, keepEntries: 10 }));
  const disk = await openDisk<Shape>({
    open: (replay) => openLog(folder, { owner: 'bench', replay }),
    cells: () => openCells(folder, nodeFiles),
    stored: group.stored,
    initial: group.stable(),
  });
  const machine = group.machine(0, {
    stateMachine: keyValueStore,
    digest: digests(fastDigestHash),
    lines: false,
    readChunk: (row) => disk.read('serviceChunks', row) as Uint8Array | undefined,
  });
  const alone = new Alone(machine, disk);
  await alone.step({ type: 'start' });
  await alone.fire('election');
  let id = 0;
  const put = (key: string, value: Uint8Array | string): Promise<void> =>
    alone.step({ type: 'submit', id: id++, operation: kv.put(key, value), readOnly: false });
  for (let i = 0; i < values; i++)
    await put(
      `key ${i}`,
      new Uint8Array(valueBytes).map((_, at) => at * i),
    );
  alone.longest = 0;
  // Small writes go on while the snapshot is made.
  for (let i = 0; alone.taken === 0; i++) {
    await put('small', `${i}`);
    await alone.fire('service/snapshot');
  }
  await disk.close();
  return alone.longest;
}

/** A snapshot of everything, the first one: nothing of it is on the disk. */
export const snapshot: Part = async ({ quick }) => {
  const home = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  const mebibytes = quick ? 50 : 200;
  try {
    return [
      {
        part: 'snapshot',
        name: `longest pause, state of ${mebibytes} MiB`,
        value: await longestPause(mebibytes, home),
        unit: 'ms of CPU',
        target: { value: 10, better: 'less' },
        note: 'the longest step while a first snapshot is made and small writes go on',
      },
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
