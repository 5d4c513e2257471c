/**
 * The service: a protocol's machine with an application, sessions, snapshots, state transfer and a
 * client of its own around it. It is itself a machine, so hosts, adversaries and checkers treat it
 * like any other.
 */
import {
  assert,
  type Event,
  type Input,
  idle,
  type Machine,
  type Output,
  type Protocol,
  type ReplicaId,
  type Signed,
  type Submit,
} from '@quorumlab/core';
import { admits, expects } from './admits.ts';
import { query } from './answering.ts';
import { cancel, submit, timeout } from './client.ts';
import { receive } from './client-answers.ts';
import { begin, suggest } from './client-requests.ts';
import { maybeInstall, workOnSnapshots } from './delivery.ts';
import { transferPorts } from './fetching.ts';
import { given } from './giving.ts';
import { clientMessages, type ServiceMessage } from './messages.ts';
import type { Run, ServiceOptions, Step } from './replica-state.ts';
import { onQuery, onRequest } from './requests.ts';
import { restoreFrom, snapshotOf, start } from './service-start.ts';
import { pass, within } from './service-step.ts';
import { onAbsent, onChunk, onManifest, onTransferTimeout } from './transfer.ts';
import type { LogShape, Serviced } from './types.ts';

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
    raises: (message) =>
      // What is of the service says nothing of terms.
      !serviceKinds.has(message.kind) &&
      run.inner.raises?.(message as Signed<S['Message']>) === true,
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
        return within(run, input, ({ out }) =>
          timeout(run.config, run.state.client, input.now, out),
        );
      if (event.timer === 'service/transfer') return within(run, input, onTimeout);
      if (event.timer === 'service/snapshot') return within(run, input, onWork);
      break;
    case 'submit':
      return within(run, input, (step) => onSubmit(step, event));
    case 'cancel':
      return within(run, input, ({ out }) =>
        cancel(run.config, run.state.client, event.id, input.now, out),
      );
    case 'read':
      // Even numbers are the service's own reads.
      return pass(run, input, { type: 'read', id: event.id * 2 + 1 });
    case 'snapshot-taken':
    case 'snapshot-installed':
      assert(false, 'a service takes and installs snapshots itself; no host may report one');
      break;
    case 'start':
      begin(run.config, run.state.client, event);
      break;
    case 'propose':
      break;
  }
  // What is left is an event of the protocol.
  return pass(run, input, event as Event<S>);
}

function onSubmit<S extends LogShape>({ run, input, out }: Step<S>, event: Submit): void {
  if (event.readOnly && event.local) {
    const result = query(run.application, [event.operation])[0];
    const { id } = event;
    out.answers.push(
      result
        ? { id, result }
        : { id, error: 'the result does not fit into 65,536 bytes; read less' },
    );
    return;
  }
  const { leader, term } = run.inner.status();
  const { client } = run.state;
  if (leader !== undefined) suggest(run.config, client, leader, term);
  submit(run.config, client, event, input.now, out);
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
      return within(run, input, ({ out }) =>
        receive(run.config, run.state.client, message, input.now, out),
      );
    default:
      if (!run.protocol.members.includes(message.from)) return idle();
      return within(run, input, (step) => onTransferMessage(step, message));
  }
}

function onTransferMessage<S extends LogShape>(
  step: Step<S>,
  message: Signed<ServiceMessage>,
): void {
  const { run, out } = step;
  const { transfer } = run.state;
  const answer = given(run, message);
  if (answer !== undefined && answer.kind !== 'snapshot-absent' && 'root' in message)
    run.state.served.set(message.from, { root: message.root, at: step.input.now });
  if (answer !== undefined) return void out.sends.push({ to: message.from, message: answer });
  if (transfer === undefined) return;
  const ports = transferPorts(step);
  if (message.kind === 'snapshot-absent') onAbsent(transfer, message, ports);
  else if (message.kind === 'snapshot-manifest') onManifest(transfer, message, ports);
  else if (message.kind === 'snapshot-chunk') onChunk(transfer, message, ports);
  maybeInstall(step);
}
