/**
 * What a service does with what its protocol says: decisions are run in the order of their slots,
 * allowed reads are answered, snapshots are taken, fetched and installed.
 */
import type {
  Configured,
  Decision,
  Event,
  Fetch,
  Input,
  Output,
  Request,
  Slot,
} from '@quorumlab/core';
import {
  asksForSession,
  assert,
  encode,
  mix,
  requestBytes,
  snapshotEveryBytes,
} from '@quorumlab/core';
import { hold, release, shelve } from './disk-layout.ts';
import { hashOf, mixBytes } from './hash.ts';
import {
  maxOperationBytes,
  maxResultBytes,
  outcome,
  type ServiceMessage,
  sessionNumber,
} from './messages.ts';
import type { Hopeful, Pen, PendingRead, Run, ServiceState } from './replica-state.ts';
import type { Results } from './replies.ts';
import {
  forgetSome,
  isRefused,
  loadSessions,
  lookUp,
  type Name,
  nextSession,
  type Refused,
  runOnce,
  wellFormed,
} from './sessions.ts';
import {
  beginInstall,
  capture,
  endInstall,
  forgetTakings,
  hasWork,
  type Installed,
  installSome,
  remember,
  shelvingOf,
  take,
} from './snapshot-work.ts';
import { kept } from './snapshots.ts';
import { alsoWanted, begin, outlive, type TransferPorts, whole } from './transfer.ts';
import type { LogShape, StateMachine } from './types.ts';

/** Most decided slots that wait for a lower one. Protocols have smaller windows than this. */
const maxBuffered = 65_536;

/** What a step is about, and where its consequences are written down. */
export interface Step<S extends LogShape> {
  readonly run: Run<S>;
  readonly input: Pick<Input<S>, 'now' | 'clock'>;
  readonly pen: Pen<S>;
}

/** Gives the protocol an event of our own, as part of the same step. */
const feed = <S extends LogShape>({ run, input, pen }: Step<S>, event: Event<S>): void =>
  void pen.outputs.push(run.inner.step({ now: input.now, clock: input.clock, event }));

/** Carries out everything the protocol asked of us in this step; each may lead to more. */
export function follow<S extends LogShape>(step: Step<S>): void {
  const { outputs } = step.pen;
  const { state } = step.run;
  for (let i = 0; i < outputs.length; i++) {
    const { decisions, reads, fetches } = outputs[i] as Output<S>;
    for (let each = 0; each < decisions.length; each++) {
      const decision = decisions[each] as Decision<S>;
      if (decision.slot === state.next) {
        applySlot(step, decision);
        if (state.buffered.size > 0) drain(step);
      } else if (decision.slot > state.next) buffer(step.run, decision);
    }
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
  if (isFull(run)) for (const each of run.state.hopeful.splice(0)) refuseHopeful(step, each);
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
  const { run, pen } = step;
  const { state } = run;
  pen.status ??= run.inner.status();
  // Where clients ask the leader, the leader answers; elsewhere they wait for several answers.
  const answers = run.policy.ask === 'any' || pen.status.leader === run.self;
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
  pen.applied.push(configuration === undefined ? done : { ...done, configuration });
  if (answers) sendReply(step, request, results);
}

/** The log has ended: who has found no slot in it is told so, unless there is more to tell. */
function refuseHopeful<S extends LogShape>(step: Step<S>, { name, digest, hash }: Hopeful): void {
  const found = lookUp(step.run.state.sessions, name, () => digest);
  if (found !== undefined && !isRefused(found)) return;
  refuse(step, name, hash, found ?? logFull);
}

/** Whether every slot of the log has been applied: then nothing more can ever run. */
export const isFull = <S extends LogShape>({ protocol, state }: Run<S>): boolean =>
  protocol.length !== undefined && state.next >= protocol.length;

/** What is said of a request that has found no slot. */
export const logFull: Refused = { reason: 'log-full', next: 0 };
/** What is said when nothing may be added to the state. */
export const stateTooLarge: Refused = { reason: 'state-too-large', next: 0 };

/** Tells a client that its request will not run from now on, and why. */
export const sendRefusal = <S extends LogShape>(
  step: Step<S>,
  request: Request,
  why: Refused,
): void => refuse(step, request, hashOf(request), why);

function refuse<S extends LogShape>(
  { pen }: Step<S>,
  { client, sequence }: Name,
  hash: number,
  { reason, next }: Refused,
): void {
  pen.sends.push({ to: client, message: { kind: 'refusal', sequence, hash, reason, next } });
}

/** What whoever asked for a change of the group is told: nothing if it was made, or why not. */
const outcomeOf = (configured: Configured | undefined): Results => [
  encode(
    outcome,
    (configured === undefined ? unchangeable : (configured.refusal ?? '')).slice(0, 1024),
  ),
];

const unchangeable = 'the group stays as it is: its protocol does not take this change';

/** The part of a snapshot that is the protocol's, if there is any. */
const groupOf = (configuration: Uint8Array): { readonly configuration?: Uint8Array } =>
  configuration.length === 0 ? {} : { configuration };

/** Sends (again) what a request gave. */
export function sendReply<S extends LogShape>(
  { run, pen }: Step<S>,
  request: Request,
  results: Results,
): void {
  pen.status ??= run.inner.status();
  const { leader = null, term } = pen.status;
  const { client, sequence } = request;
  const hash = hashOf(request);
  pen.sends.push({
    to: client,
    message: { kind: 'reply', client, sequence, hash, leader, term, results },
  });
}

/** Tells a client which session it may open. */
export const sendSession = <S extends LogShape>(step: Step<S>, request: Request): void =>
  sendReply(step, request, [
    encode(sessionNumber, nextSession(step.run.state.sessions, request.client)),
  ]);

function hashed(before: number, slot: Slot, operations: Results, results: Results): number {
  let hash = mix(mix(before, slot | 0), operations.length);
  for (let i = 0; i < operations.length; i++) hash = mixBytes(hash, operations[i] as Uint8Array);
  for (let i = 0; i < results.length; i++) hash = mixBytes(hash, results[i] as Uint8Array);
  // Snapshots hold it, and integers in messages have no sign.
  return hash >>> 0;
}

/** Answers read-only operations, as many as fit. */
export function query(application: StateMachine, operations: readonly Uint8Array[]): Results {
  const results: Uint8Array[] = [];
  let left = maxResultBytes;
  for (const each of operations) {
    const result = application.query(each);
    left -= result.length;
    if (left < 0 || result.length > maxOperationBytes) break;
    results.push(result);
  }
  return results;
}

function serveReads<S extends LogShape>({ run, pen }: Step<S>): void {
  const { state } = run;
  for (const [id, read] of state.reads) {
    if (read.upTo === undefined || read.upTo >= state.next) continue;
    state.reads.delete(id);
    state.readBytes -= read.size;
    pen.sends.push(answer(run, read));
  }
}

const answer = <S extends LogShape>(
  { application }: Run<S>,
  { client, sequence, operations }: PendingRead,
): { to: number; message: ServiceMessage } => ({
  to: client,
  message: { kind: 'query-reply', sequence, results: query(application, operations) },
});

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
export function goOn<S extends LogShape>({ run: { state, rows }, pen }: Step<S>): void {
  if (state.working || !(hasWork(state) || rows.waits())) return;
  state.working = true;
  rows.mark();
  pen.timers.push({ type: 'set', timer: 'service/snapshot', after: 0 });
}

/** What is needed of a transfer in this step. */
export const transferPorts = <S extends LogShape>(step: Step<S>): TransferPorts => {
  const { run, input, pen } = step;
  const { shelf, fetched } = run.state;
  return {
    digest: run.digest,
    now: input.now,
    // Who is told that a chunk is here can count on it until the transfer lets it go.
    has: (name) => fetched.has(name) || (hold(shelf, name) && fetched.add(name).has(name)),
    store(name, bytes) {
      if (fetched.has(name)) return;
      shelve(shelvingOf(step), name, bytes);
      fetched.add(name);
    },
    retain(names) {
      for (const name of fetched) {
        if (names.has(name)) continue;
        fetched.delete(name);
        release(shelf, name);
      }
    },
    send: (to, message) => void pen.sends.push({ to, message }),
    wait: (after) => void pen.timers.push({ type: 'set', timer: 'service/transfer', after }),
  };
};

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

/** Whether all chunks of a snapshot are here and it is being installed, or will be next. */
const isHere = ({ installing, ready }: ServiceState, { slot, digest }: Fetch): boolean =>
  (installing?.root === digest && installing.manifest.slot === slot) || ready?.slot === slot;

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

function endTransfer<S extends LogShape>(step: Step<S>): void {
  step.run.state.transfer = undefined;
  transferPorts(step).retain(new Set());
  step.pen.timers.push({ type: 'clear', timer: 'service/transfer' });
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
