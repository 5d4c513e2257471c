/** Who takes what of a node, as lines for people. */
import type { StatusRow, UseReport } from '@quorumlab/cluster';
import { firstClient } from '@quorumlab/core';
import type { Io } from './io.ts';

type PeerUse = UseReport['use'][number];

/** `n2`, `client 65536`, `strangers`. */
function nameOf(id: number | undefined): string {
  if (id === undefined) return 'strangers';
  return id < firstClient ? `n${id}` : `client ${id}`;
}

const grouped = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** Bytes in a unit in which they are short. */
function bytesOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 10_000 && unit < units.length - 1; unit++) value /= 1000;
  return `${grouped(value)} ${units[unit]}`;
}

/** What a peer has made the node compute, in microseconds. */
const workOf = ({ work }: PeerUse): number =>
  Object.values(work).reduce((sum, each) => sum + each, 0);

const reasonsOf = (reasons: Readonly<Record<string, number>>): string =>
  Object.entries(reasons)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${grouped(count)} ${reason}`)
    .join(', ');

/** One line for each peer of which a node refuses something. */
export function refusalLines({ node, use }: StatusRow): readonly string[] {
  return (use?.use ?? []).flatMap((peer) => {
    const refused = reasonsOf(peer.refused);
    const out =
      peer.bannedMilliseconds > 0
        ? `kept out for ${(peer.bannedMilliseconds / 1000).toFixed(1)} s`
        : '';
    const ended =
      peer.resets > 0 ? `${grouped(peer.resets)} connections ended (${peer.lastReset})` : '';
    const said = [refused, ended, out].filter(Boolean).join('; ');
    return said === '' ? [] : [`n${node} refuses ${nameOf(peer.id)}: ${said}`];
  });
}

const head = [
  'peer',
  'of its time',
  'decode',
  'verify',
  'step',
  'say',
  'frames in',
  'bytes in',
  'frames out',
  'bytes out',
  'links',
  'streams',
  'waiting',
] as const;

const seconds = (micros: number): string => `${(micros / 1e6).toFixed(2)} s`;

/** Cells of one peer of a node that was busy for `busyMicros`. */
function cellsOf(peer: PeerUse, self: number, busyMicros: number): readonly string[] {
  const share = busyMicros === 0 ? 0 : (100 * workOf(peer)) / busyMicros;
  return [
    peer.id === self ? 'itself' : nameOf(peer.id),
    `${share.toFixed(1)} %`,
    seconds(peer.work.decode),
    seconds(peer.work.verify),
    seconds(peer.work.step),
    seconds(peer.work.say),
    grouped(peer.framesIn),
    bytesOf(peer.bytesIn),
    grouped(peer.framesOut),
    bytesOf(peer.bytesOut),
    `${peer.connections} of ${grouped(peer.links)}`,
    grouped(peer.streams),
    `${grouped(peer.waitingFrames)}, ${bytesOf(peer.waitingBytes + peer.queuedBytes)}`,
  ];
}

/** Rows of text as columns. */
export function inColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((cells) => [...(cells[i] ?? '')].length)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
}

/** A table of all peers of a node, the ones that take most first. */
export function sayUse(io: Io, { node, use }: StatusRow): void {
  if (use === undefined) return;
  const { busyMicros, uptimeMilliseconds } = use;
  const peers = use.use
    .filter((peer) => workOf(peer) + peer.bytesIn + peer.bytesOut > 0)
    .sort((one, other) => workOf(other) - workOf(one));
  const charged = peers.reduce((sum, peer) => sum + workOf(peer), 0);
  const busy = (100 * busyMicros) / Math.max(1, uptimeMilliseconds * 1000);
  io.out(
    `n${node}: busy for ${seconds(busyMicros)} of ${seconds(uptimeMilliseconds * 1000)} ` +
      `(${busy.toFixed(0)} %), of which ${seconds(Math.max(0, busyMicros - charged))} are the ` +
      'channel, handshakes, the disk and the rest',
  );
  const rows = [head, ...peers.map((peer) => cellsOf(peer, node, busyMicros))];
  for (const line of inColumns(rows)) io.out(line);
}
