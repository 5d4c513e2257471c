/** What the loop of a replica has to know of the messages of its protocol. */
import {
  chunkBytes,
  clientMessages,
  type LogShape,
  type Serviced,
  type ServicedProtocol,
} from '@quorumlab/log';
import type { RunnerOptions } from './runner-options.ts';

const serviceKinds: ReadonlySet<string> = new Set(clientMessages.kinds.map(({ kind }) => kind));
/** What clients ask for. */
const askedKinds = ['request', 'query'];

/** See the module's comment; `isObserved`: somebody wants evidence too. */
export function whatIsSaid<S extends LogShape>(
  { protocol, isOwn, evidence, vows, numbered }: ServicedProtocol<S>,
  isObserved: boolean,
): Pick<
  RunnerOptions<Serviced<S>>,
  'clientKinds' | 'passedOnKinds' | 'isEvidence' | 'answerBytes' | 'sealsAhead'
> {
  return {
    clientKinds: serviceKinds,
    passedOnKinds: new Set([...askedKinds, ...(protocol.passesOn ?? [])]),
    // A number that was given to what a crash takes away could not be given again.
    sealsAhead: protocol.claims.faults === 'byzantine' && numbered === undefined,
    answerBytes: ({ kind }) => (kind === 'chunk-request' ? chunkBytes : 0),
    isEvidence(message) {
      if (!isObserved || !isOwn(message)) return false;
      // A promise with nothing inside: one signature, and perhaps proof of a lie.
      const [inside] = evidence(message);
      const [vow] = vows(message);
      return inside === undefined && vow !== undefined;
    },
  };
}
