/**
 * The service: a protocol's machine with an application, sessions, snapshots, state transfer and a
 * client of its own around it. It is itself a machine, so hosts, adversaries and checkers treat it
 * like any other.
 */
import type {
  AllowedRead,
  DigestOf,
  Event,
  Input,
  Machine,
  Output,
  Protocol,
  ReplicaId,
  Request,
  Signed,
  Snapshot,
  Steps,
  Submit,
} from '@quorumlab/core';
import { asksForSession, assert, bytesOf, idle, replica } from '@quorumlab/core';
import { admits, expects } from './admits.ts';
import { cancel, submit, timeout } from './client.ts';
import { receive } from './client-answers.ts';
import { begin, suggest } from './client-requests.ts';
import { askerOf, emptyClient, readsWithoutOrder, settle } from './client-state.ts';
import {
  follow,
  goOn,
  isFull,
  logFull,
  maybeInstall,
  query,
  type Step,
  sendRefusal,
  sendReply,
  sendSession,
  stateTooLarge,
  transferPorts,
  workOnSnapshots,
} from './delivery.ts';
import { storedOf } from './disk-layout.ts';
import { given } from './giving.ts';
import { hashOf } from './hash.ts';
import { interference } from './interference.ts';
import type { Query, ServiceMessage } from './messages.ts';
import { clientMessages, maxSnapshotBytes } from './messages.ts';
import {
  type Hopeful,
  loadService,
  type Pen,
  type Run,
  type ServiceOptions,
  type StoredService,
  storeService,
} from './replica-state.ts';
import { contentsOf } from './replies.ts';
import { finished, type Restarted, restarting } from './restart.ts';
import { diskRows, memoryRows } from './rows.ts';
import { isCrowded, isRefused, lookUp, usualCaps, wellFormed } from './sessions.ts';
import { newInstall } from './snapshot-work.ts';
import { serviceStable } from './stored.ts';
import { onAbsent, onChunk, onManifest, onTransferTimeout } from './transfer.ts';
import type { LogShape, Serviced, ServiceStable } from './types.ts';
import { forgetReads } from './waiting-reads.ts';

/** Most requests that are refused as soon as the log is full; others when they are asked again. */
const maxHopeful = 1024;
/** About how many bytes of a snapshot a step encodes or restores: a few milliseconds. */
const stepBytes = 1 << 18;

const serviceKinds: ReadonlySet<string> = new Set(clientMessages.kinds.map((each) => each.kind));

/**
 * The machine of replica `self`. Everything of one step is one transaction, the application's
 * snapshot included. On a restart the application comes back from the newest snapshot in
 * `options.stable`, and the protocol decides again everything after it.
 */
export function service<S extends LogShape>(
  protocol: Protocol<S>,
  self: ReplicaId,
  options: ServiceOptions<S>,
): Machine<Serviced<S>> {
  const run = start(protocol, self, options);
  const machine: Machine<Serviced<S>> = {
    self,
    step: (input) => dispatch(run, input),
    admits: (message, now) => admits(run, message, now),
    expects: (kind, from) => expects(run, kind, from),
    snapshot: () => snapshotOf(run),
    restore: (snapshot) => restoreFrom(run, snapshot),
    fork() {
      const other = service(protocol, self, options);
      other.restore(machine.snapshot());
      return other;
    },
    status: () => run.inner.status(),
    roster: () => run.inner.roster?.(),
  };
  return machine;
}

/**
 * Reads the state of a replica back from what its disk gave, in steps of one chunk, whose bytes
 * they yield: for `restarted` of {@link ServiceOptions}. Throws `SnapshotDamagedError` if the
 * newest snapshot is not what was written.
 */
export const readingBack = <S extends LogShape>(
  stable: Serviced<S>['Stable'],
  { stateMachine, digest }: Pick<ServiceOptions<S>, 'stateMachine' | 'digest'>,
): Steps<Restarted> => restarting(split<S>(stable).mine, stateMachine, digest);

function start<S extends LogShape>(
  protocol: Protocol<S>,
  self: ReplicaId,
  options: ServiceOptions<S>,
): Run<S> {
  const { digest, stateMachine, lines } = options;
  const { mine, theirs } = split<S>(options.stable ?? serviceStable(protocol));
  const settings = settle(
    {
      orderReads: protocol.read === undefined || !readsWithoutOrder(protocol.client),
      ...options.client,
    },
    protocol.members,
    protocol.client,
  );
  const found = options.restarted ?? finished(restarting(mine, stateMachine, digest));
  const run: Run<S> = {
    protocol,
    policy: protocol.client,
    self,
    digest,
    stateMachine,
    inner: replica(protocol, self, {
      digest,
      stable: theirs,
      lines: lines ?? true,
      interferes: interference(stateMachine()),
    }),
    asker: askerOf(self, protocol.members, protocol.client, settings),
    stepBytes: options.stepBytes ?? stepBytes,
    maxSnapshotBytes: options.maxSnapshotBytes ?? maxSnapshotBytes,
    sessionCaps: {
      ...(options.sessionCaps ?? usualCaps),
      keepsAll: protocol.claims.order === 'conflicts',
    },
    encoded: new WeakMap(),
    rows:
      options.readChunk === undefined
        ? memoryRows(mine.serviceChunks)
        : diskRows(options.readChunk),
    application: found.application,
    state: {
      next: found.next,
      meeting: Math.max(0, found.next - 1),
      hash: found.hash,
      buffered: new Map(),
      sessions: found.sessions,
      configuration: found.configuration,
      kept: [...found.kept],
      served: new Map(),
      shelf: found.shelf,
      takings: [],
      installing: undefined,
      ready: undefined,
      fetched: new Set(),
      working: false,
      sinceSnapshot: 0,
      tooLarge: false,
      transfer: undefined,
      hopeful: [],
      reads: new Map(),
      readBytes: 0,
      nextRead: 0,
      client: emptyClient(settings),
    },
  };
  return run;
}

/** Stable state in its two halves: the service's and the protocol's. */
function split<S extends LogShape>(
  stable: Serviced<S>['Stable'],
): { readonly mine: ServiceStable; readonly theirs: S['Stable'] } {
  const { serviceSnapshot, serviceOlder, serviceChunks, ...rest } = stable;
  // Without the service's fields, stable state is the protocol's.
  const theirs = rest as unknown as S['Stable'];
  return { mine: { serviceSnapshot, serviceOlder, serviceChunks }, theirs };
}

function snapshotOf<S extends LogShape>({
  inner,
  state,
  application,
  rows,
}: Run<S>): Snapshot<Serviced<S>> {
  const { stable, volatile } = inner.snapshot();
  return {
    stable: Object.assign(stable, storedOf(state, rows)),
    volatile: Object.assign(volatile, { service: storeService(state, application) }),
  };
}

function restoreFrom<S extends LogShape>(run: Run<S>, snapshot: Snapshot<Serviced<S>>): void {
  const { service: stored, ...volatile } = snapshot.volatile;
  run.inner.restore({
    stable: split<S>(snapshot.stable).theirs,
    // Without `service`, volatile state is the protocol's.
    volatile: volatile as unknown as S['Volatile'],
  });
  // Only `snapshotOf` makes this part.
  const mine = stored as StoredService;
  run.rows = memoryRows(split<S>(snapshot.stable).mine.serviceChunks);
  run.state = loadService(mine, (manifest) => newInstall(run, manifest));
  run.application = run.stateMachine();
  run.application.restore(mine.application);
}

function dispatch<S extends LogShape>(run: Run<S>, input: Input<Serviced<S>>): Output<Serviced<S>> {
  const { event } = input;
  switch (event.type) {
    case 'message':
      if (serviceKinds.has(event.message.kind))
        // The kind was just looked up: it is one of ours.
        return onMessage(run, input, event.message as Signed<ServiceMessage>);
      break;
    case 'timeout':
      if (event.timer === 'service/client')
        return within(run, input, ({ pen }) =>
          timeout(run.asker, run.state.client, input.now, pen),
        );
      if (event.timer === 'service/transfer') return within(run, input, onTimeout);
      if (event.timer === 'service/snapshot') return within(run, input, onWork);
      break;
    case 'submit':
      return within(run, input, (step) => onSubmit(step, event));
    case 'cancel':
      return within(run, input, ({ pen }) =>
        cancel(run.asker, run.state.client, event.id, input.now, pen),
      );
    case 'read':
      // Even numbers are the service's own reads.
      return pass(run, input, { type: 'read', id: event.id * 2 + 1 });
    case 'snapshot-taken':
    case 'snapshot-installed':
      assert(false, 'a service takes and installs snapshots itself; no host may report one');
      break;
    case 'start':
      begin(run.asker, run.state.client, event);
      break;
    case 'propose':
      break;
  }
  // What is left is an event of the protocol.
  return pass(run, input, event as Event<S>);
}

/** The fast path: what the protocol says goes out as it is unless it asks something of us. */
function pass<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  event: Event<S>,
): Output<Serviced<S>> {
  const output = run.inner.step(
    event === input.event
      ? (input as unknown as Input<S>)
      : { now: input.now, clock: input.clock, event },
  );
  if (output.decisions.length + output.reads.length + output.fetches.length === 0)
    return asServiced(output);
  return finish({ run, input, pen: newPen(run, [output]) });
}

/** An output of the protocol is one of the service: every union of the service contains its own. */
const asServiced = <S extends LogShape>(output: Output<S>): Output<Serviced<S>> =>
  output as unknown as Output<Serviced<S>>;

const newPen = <S extends LogShape>(run: Run<S>, outputs: Output<S>[]): Pen<S> => ({
  outputs,
  writes: [],
  sends: [],
  timers: [],
  applied: [],
  answers: [],
  work: run.stepBytes,
  status: undefined,
});

function within<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  act: (step: Step<S>) => void,
): Output<Serviced<S>> {
  const step: Step<S> = { run, input, pen: newPen(run, []) };
  act(step);
  return finish(step);
}

function finish<S extends LogShape>(step: Step<S>): Output<Serviced<S>> {
  const { pen } = step;
  follow(step);
  goOn(step);
  const { outputs, writes, sends, timers, applied, answers } = pen;
  if (outputs.length + writes.length + sends.length + timers.length + answers.length === 0)
    return idle();
  const inner = outputs.length === 1 ? (outputs[0] as Output<S>) : joinedOutputs(outputs);
  // What the service adds is typed for any protocol; it names only the service's own parts.
  const own = { writes, sends, timers } as unknown as Output<S>;
  return asServiced<S>({
    early: inner.early,
    writes: joined(inner.writes, own.writes),
    sends: joined(inner.sends, own.sends),
    timers: joined(inner.timers, own.timers),
    decisions: inner.decisions,
    reads: inner.reads.length === 0 ? inner.reads : hostReads(inner.reads),
    fetches: idle<S>().fetches,
    accusations: inner.accusations,
    lines: inner.lines,
    applied,
    answers,
  });
}

/** Reads of the host, under the numbers it gave them; even numbers were the service's own. */
const hostReads = (reads: readonly AllowedRead[]): AllowedRead[] =>
  reads.filter(({ id }) => id % 2 === 1).map(({ id, upTo }) => ({ id: (id - 1) / 2, upTo }));

/** Outputs of consecutive steps as one. */
function joinedOutputs<S extends LogShape>(outputs: readonly Output<S>[]): Output<S> {
  if (outputs.length === 0) return idle();
  return {
    ...idle<S>(),
    early: outputs.flatMap((each) => each.early),
    writes: outputs.flatMap((each) => each.writes),
    sends: outputs.flatMap((each) => each.sends),
    timers: outputs.flatMap((each) => each.timers),
    decisions: outputs.flatMap((each) => each.decisions),
    reads: outputs.flatMap((each) => each.reads),
    accusations: outputs.flatMap((each) => each.accusations),
    lines: outputs.flatMap((each) => each.lines),
  };
}

// Lists are only copied where two of them have to become one: this runs for every decision.
const joined = <T>(first: readonly T[], second: readonly T[]): readonly T[] =>
  second.length === 0 ? first : first.length === 0 ? second : [...first, ...second];

function onSubmit<S extends LogShape>({ run, input, pen }: Step<S>, event: Submit): void {
  if (event.readOnly && event.local) {
    const result = query(run.application, [event.operation])[0];
    const { id } = event;
    pen.answers.push(
      result
        ? { id, result }
        : { id, error: 'the result does not fit into 65,536 bytes; read less' },
    );
    return;
  }
  const { leader, term } = run.inner.status();
  const { client } = run.state;
  if (leader !== undefined) suggest(run.asker, client, leader, term);
  submit(run.asker, client, event, input.now, pen);
}

/** What was written before is durable: on with the work on snapshots. */
function onWork<S extends LogShape>(step: Step<S>): void {
  step.run.state.working = false;
  step.run.rows.confirm();
  workOnSnapshots(step);
}

function onTimeout<S extends LogShape>(step: Step<S>): void {
  const { transfer } = step.run.state;
  if (transfer === undefined) return;
  onTransferTimeout(transfer, transferPorts(step));
  maybeInstall(step);
}

function onMessage<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  message: Signed<ServiceMessage>,
): Output<Serviced<S>> {
  switch (message.kind) {
    case 'request':
      return onRequest(run, input, message);
    case 'query':
      return onQuery(run, input, message);
    case 'reply':
    case 'redirect':
    case 'refusal':
    case 'query-reply':
      return within(run, input, ({ pen }) =>
        receive(run.asker, run.state.client, message, input.now, pen),
      );
    default:
      if (!run.protocol.members.includes(message.from)) return idle();
      return within(run, input, (step) => onTransferMessage(step, message));
  }
}

function onRequest<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  message: Signed<Extract<ServiceMessage, { kind: 'request' }>>,
): Output<Serviced<S>> {
  if (!wellFormed(message)) return idle();
  const { client, sequence } = message;
  const { sessions, hopeful } = run.state;
  // A log with an end has no slot to spare for that, and closes no sessions.
  if (asksForSession(message) && run.protocol.length !== undefined)
    return within(run, input, (step) => sendSession(step, message));
  const found = lookUp(sessions, message, () => contentsOf(message, run.digest));
  if (found !== undefined && !asksForSession(message))
    return within(run, input, (step) =>
      isRefused(found) ? sendRefusal(step, message, found) : sendReply(step, message, found),
    );
  if (isFull(run)) return within(run, input, (step) => sendRefusal(step, message, logFull));
  if (run.state.tooLarge)
    return within(run, input, (step) => sendRefusal(step, message, stateTooLarge));
  // There some are forgotten only now and then; the client asks again.
  if (run.protocol.claims.order === 'conflicts' && isCrowded(sessions, message, run.sessionCaps))
    return idle();
  if (run.policy.ask === 'leader') {
    const { leader = null, term } = run.inner.status();
    // A protocol that forwards gives it to the leader itself, if it knows one.
    if (leader !== run.self && !(run.policy.forwards && leader !== null))
      return within(run, input, ({ pen }) => {
        const redirect = { kind: 'redirect', about: 'request', sequence, leader, term } as const;
        pen.sends.push({ to: client, message: redirect });
      });
  }
  if (run.protocol.length !== undefined && hopeful.length < maxHopeful)
    hope(hopeful, message, run.digest);
  // The whole message is the command, so that the client's seal goes with it wherever it goes.
  return pass(run, input, { type: 'propose', command: message });
}

/** Notes a request that may find no slot; a client may have several under one sequence. */
function hope(hopeful: Hopeful[], request: Signed<Request>, digestOf: DigestOf): void {
  const { client, session = 0, sequence } = request;
  const digest = contentsOf(request, digestOf);
  if (
    hopeful.some(
      (each) =>
        each.digest === digest && each.name.sequence === sequence && each.name.client === client,
    )
  )
    return;
  hopeful.push({ name: { client, session, sequence }, digest, hash: hashOf(request) });
}

function onQuery<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  message: Signed<Query>,
): Output<Serviced<S>> {
  const { from: to, sequence, operations } = message;
  const say = (answer: ServiceMessage): Output<Serviced<S>> =>
    within(run, input, ({ pen }) => void pen.sends.push({ to, message: answer }));
  if (
    !readsWithoutOrder(run.policy) ||
    (run.protocol.read === undefined && message.consistency !== 'local')
  )
    return say({ kind: 'query-reply', sequence, results: null });
  if (message.consistency === 'local')
    return say({ kind: 'query-reply', sequence, results: query(run.application, operations) });
  const { leader = null, term } = run.inner.status();
  const canRead = leader === run.self || (run.policy.readsAnywhere === true && leader !== null);
  if (run.policy.ask === 'leader' && !canRead)
    return say({ kind: 'redirect', about: 'query', sequence, leader, term });
  const id = run.state.nextRead++;
  const size = bytesOf({ operations });
  run.state.reads.set(id, { client: to, sequence, operations, size, upTo: undefined });
  run.state.readBytes += size;
  forgetReads(run.state);
  return pass(run, input, { type: 'read', id: id * 2 });
}

function onTransferMessage<S extends LogShape>(
  step: Step<S>,
  message: Signed<ServiceMessage>,
): void {
  const { run, pen } = step;
  const { transfer } = run.state;
  const answer = given(run, message);
  if (answer !== undefined && answer.kind !== 'snapshot-absent' && 'root' in message)
    run.state.served.set(message.from, { root: message.root, at: step.input.now });
  if (answer !== undefined) return void pen.sends.push({ to: message.from, message: answer });
  if (transfer === undefined) return;
  const ports = transferPorts(step);
  if (message.kind === 'snapshot-absent') onAbsent(transfer, message, ports);
  else if (message.kind === 'snapshot-manifest') onManifest(transfer, message, ports);
  else if (message.kind === 'snapshot-chunk') onChunk(transfer, message, ports);
  maybeInstall(step);
}
