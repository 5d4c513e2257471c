/** An honest client's steady writes: so many a second, whatever comes back. */
import { kv } from '@quorumlab/log';

/** What became of the writes that were begun in one stretch of time. */
export interface Stretch {
  readonly perSecond: number;
  /** Milliseconds; what is unanswered counts with its age. */
  readonly p99: number;
}

/** Writes that go on until they are stopped. */
export interface Load {
  /** Waits for so long and says what became of the writes meanwhile. */
  during(milliseconds: number): Promise<Stretch>;
  stop(): void;
}

interface Write {
  readonly began: number;
  ended?: number;
}

/** Most writes under way: a client that waits asks for no more. */
const most = 128;

/** Begins writes at an even rate. */
export function steadyLoad(
  client: { propose(operation: Uint8Array): Promise<Uint8Array> },
  perSecond: number,
): Load {
  const content = new Uint8Array(100).fill(120);
  const writes = Array.from({ length: 500 }, (_, i) => kv.put(`key ${i}`, content));
  let begun: Write[] = [];
  let under = 0;
  let due = performance.now();
  let next = 0;
  const begin = (): void => {
    const write: Write = { began: performance.now() };
    begun.push(write);
    under++;
    client
      .propose(writes[next++ % writes.length] as Uint8Array)
      .then(() => void (write.ended = performance.now()))
      .catch(() => {})
      .finally(() => void under--);
  };
  const timer = setInterval(() => {
    const now = performance.now();
    // What was not begun in time is not made up for later.
    if (now - due > 100) due = now - 100;
    for (; due <= now; due += 1000 / perSecond) if (under < most) begin();
  }, 4);
  return {
    async during(milliseconds) {
      const from = performance.now();
      begun = begun.filter(({ ended }) => ended === undefined);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      const to = performance.now();
      const ended = begun.filter((write) => write.ended !== undefined);
      const ages = begun
        .map((write) => (write.ended ?? to) - write.began)
        .sort((one, other) => one - other);
      return {
        perSecond: (ended.length * 1000) / (to - from),
        p99: ages[Math.min(ages.length - 1, Math.floor(ages.length * 0.99))] ?? milliseconds,
      };
    },
    stop: () => clearInterval(timer),
  };
}
