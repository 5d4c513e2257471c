/**
 * What a service does with what its protocol says: decisions are run in the order of their slots,
 * allowed reads are answered, snapshots are taken, fetched and installed.
 */
import {
  asksForSession,
  assert,
  type Configured,
  type Decision,
  type Event,
  type Fetch,
  mix,
  type Output,
  requestBytes,
  type Slot,
  snapshotEveryBytes,
  type Tentative,
} from '@quorumlab/core';
import {
  isFull,
  outcomeOf,
  refuseHopeful,
  sendRefusal,
  sendReply,
  sendSession,
  serveReads,
} from './answering.ts';
import { hold } from './disk-layout.ts';
import { endTransfer, isHere, transferPorts } from './fetching.ts';
import { mixBytes } from './hash.ts';
import type { Run, Step } from './replica-state.ts';
import type { Results } from './replies.ts';
import { forgetSome, isRefused, runOnce, wellFormed } from './sessions.ts';
import {
  beginInstall,
  capture,
  endInstall,
  forgetTakings,
  hasWork,
  type Installed,
  installSome,
  remember,
  take,
} from './snapshot-work.ts';
import { kept } from './snapshots.ts';
import { loadSessions } from './stored-sessions.ts';
import { runTentatively } from './tentative.ts';
import { alsoWanted, begin, outlive } from './transfer.ts';
import { whole } from './transfer-state.ts';
import type { LogShape } from './types.ts';

/** Most decided slots that wait for a lower one. Protocols have smaller windows than this. */
const maxBuffered = 65_536;

/** Gives the protocol an event of our own, as part of the same step. */
const feed = <S extends LogShape>({ run, input, out }: Step<S>, event: Event<S>): void =>
  void out.outputs.push(run.inner.step({ now: input.now, clock: input.clock, event }));

/** Carries out everything the protocol asked of us in this step; each may lead to more. */
export function follow<S extends LogShape>(step: Step<S>): void {
  const { outputs } = step.out;
  const { state } = step.run;
  for (let i = 0; i < outputs.length; i++) {
    const { decisions, tentative, reads, fetches } = outputs[i] as Output<S>;
    for (let each = 0; each < decisions.length; each++) {
      const decision = decisions[each] as Decision<S>;
      if (decision.slot === state.next) {
        applySlot(step, decision);
        if (state.buffered.size > 0) drain(step);
      } else if (decision.slot > state.next) buffer(step.run, decision);
    }
    for (let each = 0; each < tentative.length; each++)
      runTentatively(step, tentative[each] as Tentative<S>);
    if (reads.length > 0)
      for (const { id, upTo } of reads) {
        const read = id % 2 === 0 ? state.reads.get(id / 2) : undefined;
        if (read !== undefined) read.upTo = upTo;
      }
    if (state.reads.size > 0) serveReads(step);
    if (fetches.length > 0) for (const wanted of fetches) startFetch(step, wanted);
    if (state.transfer !== undefined) maybeOutlive(step);
  }
}

function buffer<S extends LogShape>({ state }: Run<S>, decision: Decision<LogShape>): void {
  if (state.buffered.has(decision.slot)) return;
  assert(
    state.buffered.size < maxBuffered,
    `slot ${state.next} is missing and ${maxBuffered} later ones are decided`,
  );
  state.buffered.set(decision.slot, decision);
}

function drain<S extends LogShape>(step: Step<S>): void {
  const { state } = step.run;
  for (;;) {
    const decision = state.buffered.get(state.next);
    if (decision === undefined) return;
    state.buffered.delete(state.next);
    applySlot(step, decision);
  }
}

function applySlot<S extends LogShape>(
  step: Step<S>,
  { slot, commands, configured }: Decision<LogShape>,
): void {
  const { run } = step;
  if (configured !== undefined) run.state.configuration = configured.state;
  for (let i = 0; i < commands.length; i++)
    applyRequest(step, slot, commands[i] as LogShape['Command'], configured);
  run.state.next = slot + 1;
  if (run.sessionCaps.keepsAll && configured !== undefined) {
    run.state.meeting = slot;
    forgetSome(run.state.sessions, run.sessionCaps);
  }
  for (const command of commands) run.state.sinceSnapshot += requestBytes(command);
  if (isFull(run)) for (const each of run.state.unplaced.splice(0)) refuseHopeful(step, each);
  if (!wantsSnapshot(run, slot, configured)) return;
  capture(step);
  workOnSnapshots(step);
}

/**
 * Whether a snapshot is due after `slot`: by the number of slots, or by their bytes. Where members
 * vote on snapshots all have to take the same ones, so there only the number counts; and where the
 * order is each replica's own, its protocol says after which slots all have run the same.
 */
function wantsSnapshot<S extends LogShape>(
  { protocol, state }: Run<S>,
  slot: Slot,
  configured: Configured | undefined,
): boolean {
  const { snapshotEvery = 0, claims } = protocol;
  if (snapshotEvery === 0) return false;
  if (claims.order === 'conflicts') return configured !== undefined;
  if ((slot + 1) % snapshotEvery === 0) return true;
  return claims.faults === 'crash' && state.sinceSnapshot > snapshotEveryBytes;
}

function applyRequest<S extends LogShape>(
  step: Step<S>,
  slot: Slot,
  request: LogShape['Command'],
  configured: Configured | undefined,
): void {
  if (!wellFormed(request)) return;
  const { run, out } = step;
  const { state } = run;
  out.status ??= run.inner.status();
  // Where clients ask the leader, the leader answers; elsewhere they wait for several answers.
  const answers = run.policy.ask === 'any' || out.status.leader === run.self;
  if (asksForSession(request)) {
    if (answers) sendSession(step, request);
    return;
  }
  const answer = request.configuration === undefined ? undefined : outcomeOf(configured);
  const { digest, application, sessionCaps } = run;
  // Where slots are each replica's own, time goes on for clients where all replicas meet.
  const at = sessionCaps.keepsAll ? state.meeting : slot;
  const ran = runOnce(state.sessions, at, request, digest, application, answer, sessionCaps);
  if (isRefused(ran)) {
    if (answers) sendRefusal(step, request, ran);
    return;
  }
  const { fresh, results } = ran;
  const { client, sequence, operations, configuration } = request;
  if (fresh) {
    const what = configuration ? [configuration] : operations;
    // Replicas that have run the same in orders of their own are in the same state.
    state.hash =
      run.protocol.claims.order === 'conflicts'
        ? (state.hash + hashed(mix(client, sequence), 0, what, results)) >>> 0
        : hashed(state.hash, slot, what, results);
  }
  const done = { slot, client, sequence, operations, results, fresh, state: state.hash };
  out.applied.push(configuration === undefined ? done : { ...done, configuration });
  if (answers) sendReply(step, request, results);
}

/** The part of a snapshot that is the protocol's, if there is any. */
const groupOf = (configuration: Uint8Array): { readonly configuration?: Uint8Array } =>
  configuration.length === 0 ? {} : { configuration };

function hashed(before: number, slot: Slot, operations: Results, results: Results): number {
  let hash = mix(mix(before, slot | 0), operations.length);
  for (let i = 0; i < operations.length; i++) hash = mixBytes(hash, operations[i] as Uint8Array);
  for (let i = 0; i < results.length; i++) hash = mixBytes(hash, results[i] as Uint8Array);
  // Snapshots hold it, and integers in messages have no sign.
  return hash >>> 0;
}

/** Does this step's share of the work on snapshots. What comes of it may lead to more. */
export function workOnSnapshots<S extends LogShape>(step: Step<S>): void {
  const { state } = step.run;
  for (let taken = take(step); taken !== undefined; taken = take(step)) {
    remember(step, taken, step.input.now);
    const { slot, digest } = taken.record;
    feed(step, { type: 'snapshot-taken', slot, digest, ...groupOf(taken.configuration) });
  }
  while (state.installing !== undefined) {
    if (state.installing.manifest.slot < state.next) {
      const { manifest, root } = state.installing;
      endInstall(step);
      feed(step, { type: 'snapshot-installed', slot: manifest.slot, digest: root });
      continue;
    }
    const ended = installSome(step);
    if (ended === undefined) return;
    // Held for as long as it is kept: the installation lets go of them.
    if (ended.opened !== undefined)
      for (const name of ended.manifest.chunks) hold(state.shelf, name);
    endInstall(step);
    adopt(step, ended);
  }
}

/** Asks for another step if there is work left, or chunks that are not known to be durable. */
export function goOn<S extends LogShape>({ run: { state, rows }, out }: Step<S>): void {
  if (state.working || !(hasWork(state) || rows.waits())) return;
  state.working = true;
  rows.mark();
  out.timers.push({ type: 'set', timer: 'service/snapshot', after: 0 });
}

function startFetch<S extends LogShape>(step: Step<S>, wanted: Fetch): void {
  const { state, self } = step.run;
  const { slot, digest } = wanted;
  // Our state is that one already, or a later one that grew out of it.
  if (slot < state.next) return feed(step, { type: 'snapshot-installed', slot, digest });
  const holders = wanted.holders.filter((each) => each !== self);
  if (holders.length === 0 || isHere(state, wanted)) return;
  if (state.transfer === undefined)
    state.transfer = begin({ slot, digest, holders }, transferPorts(step));
  else alsoWanted(state.transfer, { slot, digest, holders }, transferPorts(step));
  maybeInstall(step);
}

/** What was being fetched may no longer be needed: decisions have led there, or further. */
function maybeOutlive<S extends LogShape>(step: Step<S>): void {
  const { state } = step.run;
  const { transfer } = state;
  if (transfer === undefined || transfer.slot >= state.next) return;
  const { slot, root: digest } = transfer;
  if (!outlive(transfer, state.next, transferPorts(step))) endTransfer(step);
  feed(step, { type: 'snapshot-installed', slot, digest });
  maybeInstall(step);
}

/** Installs what was fetched as soon as nothing is missing, whatever brought that about. */
export function maybeInstall<S extends LogShape>(step: Step<S>): void {
  const { transfer } = step.run.state;
  const manifest = transfer && whole(transfer);
  if (manifest === undefined) return;
  beginInstall(step, manifest);
  // What else was wished for the protocol asks for again, if it needs it after this.
  endTransfer(step);
  workOnSnapshots(step);
}

/** Swaps the state for that of a snapshot, if it was one. Its chunks are held. */
function adopt<S extends LogShape>(step: Step<S>, { manifest, root, opened }: Installed): void {
  if (opened === undefined) return;
  const { run } = step;
  const { state } = run;
  const { slot } = manifest;
  forgetTakings(state, slot);
  run.application = opened.application;
  state.sessions = loadSessions(opened.sessions);
  state.hash = opened.state;
  state.configuration = opened.configuration;
  state.next = slot + 1;
  state.meeting = slot;
  state.sinceSnapshot = 0;
  for (const each of state.buffered.keys()) if (each <= slot) state.buffered.delete(each);
  remember(step, kept(manifest, opened.state, 'installed', run.digest), step.input.now);
  feed(step, {
    type: 'snapshot-installed',
    slot,
    digest: root,
    ...groupOf(opened.configuration),
  });
  drain(step);
}
