import { firstClient, type Machine, type Request, type Signature, seal } from '@quorumlab/core';
import { type ClientShape, client } from '../src/client.ts';
import type { ClientOptions } from '../src/client-state.ts';
import { hashOf } from '../src/hash.ts';
import type { RefusalReason, ServiceMessage } from '../src/messages.ts';

const clock = { earliest: 0, latest: 0 };
const unsigned = new Uint8Array(0) as Signature;
const policy = { matching: 1, ask: 'any', signed: false } as const;

type Event = Parameters<Machine<ClientShape>['step']>[0]['event'];

/** A client that has just started, and what it says and hears. */
export function living(incarnation?: number, options: ClientOptions = {}, matching = 1) {
  const machine = client({ ...policy, matching }, [0, 1, 2, 3], firstClient, options);
  const step = (event: Event, now = 0) => machine.step({ now, clock, event });
  step({ type: 'start', ...(incarnation === undefined ? {} : { incarnation }) });
  const requestsOf = ({ sends }: ReturnType<typeof step>): Request[] =>
    sends.flatMap(({ message }) => (message.kind === 'request' ? message : []));
  const hear = (message: ServiceMessage, from = 0) => {
    const output = step({
      type: 'message',
      message: seal<ServiceMessage>(message, from, unsigned),
    });
    return { said: requestsOf(output), answers: output.answers };
  };
  let id = 0;
  return {
    machine,
    step,
    submit: (operation = new Uint8Array([1])) =>
      requestsOf(step({ type: 'submit', id: id++, operation, readOnly: false })),
    answer(request: Request, result: Uint8Array) {
      const { client: who, sequence } = request;
      const hash = hashOf(request);
      const rest = { leader: 0, term: 1, results: [result] };
      return hear({ kind: 'reply', client: who, sequence, hash, ...rest });
    },
    refuse: (request: Request, reason: RefusalReason, next: number, from = 0) => {
      const { sequence } = request;
      return hear({ kind: 'refusal', sequence, hash: hashOf(request), reason, next }, from);
    },
  };
}
