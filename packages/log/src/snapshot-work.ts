/**
 * Snapshots are taken and installed a little at a time, while everything else goes on: a state of
 * 1 GiB takes seconds to encode and hash, and a replica that is silent for so long loses its lead.
 * At its slot a snapshot is only captured. Each step then does some of the work and writes the
 * chunks it made; the next one begins when those are durable, so a slow disk is not run over. What
 * is small is done at once, in the step of its slot.
 */
import type { Digest, Instant, Slot } from '@quorumlab/core';
import { damaged, hold, register, release, rowOf, type Shelving, shelve } from './disk-layout.ts';
import { fetchedOf } from './giving.ts';
import { chunkBytes, maxChunks, type SnapshotManifest } from './messages.ts';
import type { Installing, Run, ServiceState, StepOutputs, Taking } from './replica-state.ts';
import {
  captured,
  decodeColophon,
  encodeColophon,
  isCaptured,
  type Kept,
  kept,
  manifestOf,
  nameOf,
  restorerOf,
  rootOf,
  sessionParts,
  sessionsOf,
} from './snapshots.ts';
import { storeSessions } from './stored-sessions.ts';
import type { LogShape, StateMachine, StatePart } from './types.ts';

/** Least snapshots that are kept: one that is being fetched must not vanish. */
const keptSnapshots = 3;
/** Most snapshots that are kept beyond that because others fetch them; the newest, if need be. */
const mostFetched = 3;
/** What it costs to look at a part that has not changed, in bytes of one that has. */
const unchangedCost = 256;

/** What it costs to hash one name of a manifest, in bytes of state. */
const manifestCost = 64;

/** What a step does its share of the work with. */
export interface Desk<S extends LogShape> {
  readonly run: Run<S>;
  readonly out: StepOutputs<S>;
}

/** Where chunks are put in this step. */
export const shelvingOf = <S extends LogShape>({ run, out }: Desk<S>): Shelving => ({
  shelf: run.state.shelf,
  rows: run.rows,
  writes: out.writes,
});

/** Notes down everything as it is now, to be written while the state machine goes on. */
export function capture<S extends LogShape>({ run }: Desk<S>): void {
  const { protocol, application, state } = run;
  // In the crash model a snapshot that is left out costs a longer log until the next one, and
  // nobody waits for it. Where members vote on snapshots, all have to take the same ones.
  if (state.takings.length > 0 && protocol.claims.faults === 'crash') return;
  const sessions = sessionParts(storeSessions(state.sessions));
  const pieces = captured(application);
  state.sinceSnapshot = 0;
  state.takings.push({
    slot: state.next - 1,
    state: state.hash,
    configuration: state.configuration,
    parts: [...pieces, ...sessions],
    sessionsFrom: pieces.length,
    at: 0,
    sessions: 0,
    size: 0,
    names: [],
    whole: undefined,
  });
}

/** A snapshot that was taken, and the group as of its slot. */
export interface Taken extends Kept {
  readonly configuration: Uint8Array;
}

/** Works on the oldest snapshot that is being taken. Returns it once it is whole. */
export function take<S extends LogShape>(desk: Desk<S>): Taken | undefined {
  const { run, out } = desk;
  const { state } = run;
  const taking = state.takings[0];
  if (taking === undefined) return undefined;
  for (; taking.at < taking.parts.length; taking.at++) {
    if (out.work <= 0) return undefined;
    const before = taking.names.length;
    if (!takePart(desk, taking, taking.parts[taking.at] as StatePart)) return giveUp(desk);
    if (taking.at >= taking.sessionsFrom) taking.sessions += taking.names.length - before;
  }
  const { slot, sessions, configuration } = taking;
  if (taking.whole === undefined) {
    const last = encodeColophon({ slot, state: taking.state, sessions, configuration });
    if (!add(desk, taking, last)) return giveUp(desk);
    const manifest = manifestOf(slot, taking.size, taking.names);
    taking.whole = kept(manifest, taking.state, 'taken', run.digest);
    out.work -= taking.names.length * manifestCost;
    // The step that writes the record has enough to do.
    if (out.work <= 0) return undefined;
  }
  state.takings.shift();
  state.tooLarge = false;
  return { ...taking.whole, configuration };
}

/** Writes one part, unless it is the same as before. False: there is no room for it. */
function takePart<S extends LogShape>(desk: Desk<S>, taking: Taking, part: StatePart): boolean {
  const { run, out } = desk;
  const known = run.encoded.get(part);
  if (known?.names.every((name) => rowOf(run.state.shelf, name) !== undefined)) {
    out.work -= unchangedCost;
    for (const name of known.names) hold(run.state.shelf, name);
    taking.names.push(...known.names);
    taking.size += known.size;
    return true;
  }
  const before = taking.names.length;
  const pieces = part.encode();
  for (const piece of pieces) if (!add(desk, taking, piece)) return false;
  const size = pieces.reduce((sum, each) => sum + each.length, 0);
  run.encoded.set(part, { names: taking.names.slice(before), size });
  return true;
}

/** Writes one chunk. False: it is too large, or one too many. */
function add<S extends LogShape>(desk: Desk<S>, taking: Taking, piece: Uint8Array): boolean {
  const { run, out } = desk;
  out.work -= piece.length;
  if (piece.length > chunkBytes || taking.names.length >= maxChunks) return false;
  if (taking.size + piece.length > run.maxSnapshotBytes) return false;
  const name = nameOf(piece, run.digest);
  shelve(shelvingOf(desk), name, piece);
  taking.names.push(name);
  taking.size += piece.length;
  return true;
}

/** There can be no snapshot of this state. Nobody may make it larger still. */
function giveUp<S extends LogShape>({ run: { state } }: Desk<S>): undefined {
  const [taking] = state.takings.splice(0, 1);
  for (const name of taking?.names ?? []) release(state.shelf, name);
  state.tooLarge = true;
}

/** The snapshot becomes the one to start from. Older ones stay while others fetch them. */
export function remember<S extends LogShape>(desk: Desk<S>, newest: Kept, now: Instant): void {
  const { state, protocol } = desk.run;
  const most = Math.max(keptSnapshots, protocol.snapshotsKept ?? 1);
  const fetched = fetchedOf(state.served, now);
  let left = mostFetched;
  const stays = ({ record }: Kept): boolean => fetched.has(record.digest) && left-- > 0;
  state.kept = register(shelvingOf(desk), state.kept, newest, most, stays);
}

/** Begins to install a snapshot whose chunks are all here, after the one that is under way. */
export function beginInstall<S extends LogShape>(
  { run }: Desk<S>,
  manifest: SnapshotManifest,
): void {
  const { state } = run;
  for (const name of manifest.chunks) hold(state.shelf, name);
  if (state.installing !== undefined) {
    // The one that waited is older: this one takes its place.
    for (const name of state.ready?.chunks ?? []) release(state.shelf, name);
    state.ready = manifest;
    return;
  }
  state.installing = newInstall(run, manifest);
}

/**
 * From its first chunk. A state machine that restores beside what it holds may share with that what
 * is the same: a member that needs a second snapshot would have two states in memory otherwise.
 */
export function newInstall<S extends LogShape>(
  { application: running, stateMachine, digest }: Run<S>,
  manifest: SnapshotManifest,
): Installing {
  const application = isCaptured(running) ? running : stateMachine();
  return {
    manifest,
    root: rootOf(manifest, digest),
    application,
    restorer: restorerOf(application),
    sessions: [],
    at: 0,
  };
}

/** A snapshot that was installed, or that turned out to be none. */
export interface Installed {
  readonly manifest: SnapshotManifest;
  readonly root: Digest;
  readonly opened: Opened | undefined;
}

/** What a snapshot holds: all that a replica needs to go on after it. */
export interface Opened {
  readonly application: StateMachine;
  readonly sessions: ReturnType<typeof sessionsOf>;
  readonly state: number;
  readonly configuration: Uint8Array;
}

/** Works on the snapshot that is being installed. Returns it when that has come to an end. */
export function installSome<S extends LogShape>({ run, out }: Desk<S>): Installed | undefined {
  const { state } = run;
  const { installing } = state;
  if (installing === undefined) return undefined;
  const { manifest, root } = installing;
  let opened: Opened | undefined;
  try {
    opened = restoreSome(run, out, installing);
  } catch (error) {
    if (error instanceof LostChunkError) throw damaged({ slot: manifest.slot, digest: root });
    // In the crash model the digest is only a leader's word: if that leader lies, what has the
    // right digest may still be nonsense, and then the replica keeps what it has.
    return { manifest, root, opened: undefined };
  }
  return opened === undefined ? undefined : { manifest, root, opened };
}

/** A chunk that was here cannot be read any more. */
class LostChunkError extends Error {
  override readonly name = 'LostChunkError';
}

function restoreSome<S extends LogShape>(
  run: Run<S>,
  out: StepOutputs<S>,
  installing: Installing,
): Opened | undefined {
  const { manifest, application, restorer, sessions } = installing;
  const { chunks } = manifest;
  const read = (index: number): Uint8Array => {
    const row = rowOf(run.state.shelf, chunks[index] as Digest);
    const data = row === undefined ? undefined : run.rows.get(row);
    if (data === undefined) throw new LostChunkError();
    return data;
  };
  const last = decodeColophon(manifest, read(chunks.length - 1));
  const pieces = chunks.length - 1 - last.sessions;
  for (; installing.at < chunks.length - 1; installing.at++) {
    if (out.work <= 0) return undefined;
    const data = read(installing.at);
    out.work -= data.length;
    if (installing.at < pieces) restorer.add(data);
    else sessions.push(data);
  }
  const { state, configuration } = last;
  const opened = { application, sessions: sessionsOf(sessions), state, configuration };
  // Nothing may fail after it: this may be the state machine that runs.
  restorer.finish();
  return opened;
}

/** Ends an installation, whatever came of it, and lets the next one begin. */
export function endInstall<S extends LogShape>({ run }: Desk<S>): void {
  const { state } = run;
  for (const name of state.installing?.manifest.chunks ?? []) release(state.shelf, name);
  state.installing = state.ready === undefined ? undefined : newInstall(run, state.ready);
  state.ready = undefined;
}

/** Lets go of snapshots that were being taken and are older than what was installed at `slot`. */
export function forgetTakings(state: ServiceState, slot: Slot): void {
  for (const taking of state.takings.splice(0)) {
    if (taking.slot > slot) state.takings.push(taking);
    else for (const name of taking.names) release(state.shelf, name);
  }
}

/** Whether there is work left for another step. */
export const hasWork = ({ takings, installing }: ServiceState): boolean =>
  takings.length > 0 || installing !== undefined;
