/** The limits that rows stand beside: loops that do nothing but what cannot be avoided. */
import * as fs from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { cpuSince, quantile } from './measure.ts';

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly word: number;
}

const before = (one: Entry, two: Entry): boolean =>
  one.time < two.time || (one.time === two.time && one.order < two.order);

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = heap[(at - 1) >> 1] as Entry;
    if (before(parent, entry)) break;
    heap[at] = parent;
    at = (at - 1) >> 1;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): Entry {
  const top = heap[0] as Entry;
  const entry = heap.pop() as Entry;
  const { length } = heap;
  if (length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
    const smaller = heap[child] as Entry;
    if (before(entry, smaller)) break;
    heap[at] = smaller;
    at = child;
  }
  heap[at] = entry;
  return top;
}

/** Events per CPU second of a bare binary heap with 1,000 pending: pop one, push a later one. */
export function heapLoop(events: number): number {
  const heap: Entry[] = [];
  let order = 0;
  let random = 1;
  let sum = 0;
  const delay = (): number => {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    return (random >>> 0) % 1000;
  };
  for (let i = 0; i < 1000; i++) push(heap, { time: delay(), order: order++, word: 0 });
  const began = process.cpuUsage();
  for (let i = 0; i < events; i++) {
    const { time, word } = pop(heap);
    sum = (sum + word) | 0;
    push(heap, { time: time + 1 + delay(), order: order++, word: 1 });
  }
  return events / cpuSince(began) + (sum & 0);
}

/** The median in milliseconds of `count` bare writes of `bytes`, each followed by fdatasync. */
export function flushLoop(folder: string, bytes: number, count: number): number {
  const file = join(folder, `bare-${bytes}`);
  const descriptor = fs.openSync(file, 'w', 0o600);
  const buffer = new Uint8Array(bytes).fill(7);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    fs.writeSync(descriptor, buffer);
    fs.fdatasyncSync(descriptor);
    times.push(performance.now() - began);
  }
  fs.closeSync(descriptor);
  fs.rmSync(file);
  return quantile(times, 0.5);
}

/**
 * Round trips a second of 100 bytes over one bare TCP connection on which `outstanding` are under
 * way: what has come back is sent again.
 */
export async function tcpEchoes(outstanding: number, seconds: number): Promise<number> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    // The client ends with bytes under way, which resets the connection.
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => void socket.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client: Socket = createConnection(address.port, '127.0.0.1');
  client.setNoDelay(true);
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.on('connect', () => {
      for (let i = 0; i < outstanding; i++) client.write(new Uint8Array(100));
      setTimeout(resolve, seconds * 1000);
    });
    client.on('data', (data: Uint8Array) => {
      bytes += data.length;
      client.write(data);
    });
  });
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
  return bytes / 100 / seconds;
}

/** The median in milliseconds of `count` round trips of 100 bytes over one bare TCP connection. */
export async function tcpRoundTrip(count: number): Promise<number> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('data', (data) => void socket.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client: Socket = createConnection(address.port, '127.0.0.1');
  client.setNoDelay(true);
  const times: number[] = [];
  await new Promise<void>((resolve, reject) => {
    let began = 0;
    const ask = (): void => {
      began = performance.now();
      client.write(new Uint8Array(100));
    };
    client.on('error', reject);
    client.on('connect', ask);
    client.on('data', () => {
      times.push(performance.now() - began);
      if (times.length < count) ask();
      else resolve();
    });
  });
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
  return quantile(times, 0.5);
}
