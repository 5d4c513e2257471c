/**
 * Tentative execution (Castro and Liskov, TOCS 2002, section 5.1.2): clients are told what their
 * requests give before the slot is decided. The requests run, their replies say that they are
 * tentative, and in the same step everything is taken back. So the state is that of decided slots
 * whenever anybody looks at it: no view change, snapshot, transfer, read or crash finds another
 * one. What is decided later runs again, and mostly gives the same.
 */

import type { Request } from '@quorumlab/core';
import { asksForSession, type Signed, sessionsBytes, type Tentative } from '@quorumlab/core';
import { sendReply } from './answering.ts';
import type { Step } from './replica-state.ts';
import { markSessions } from './session-state.ts';
import { isRefused, runOnce, wellFormed } from './sessions.ts';
import type { LogShape } from './types.ts';

/** Says what the commands give that are likely to be decided next. */
export function runTentatively<S extends LogShape>(
  step: Step<S>,
  { slot, commands, term }: Tentative<S>,
): void {
  const { state, application, policy, digest, sessionCaps } = step.run;
  if (policy.tentative === undefined || slot !== state.next) return;
  // A change of the group is answered once it is made, and so is what shares its slot.
  if (commands.some(({ configuration }) => configuration !== undefined)) return;
  const { sessions } = state;
  const isRoom = sessions.accounts.size + commands.length < sessionCaps.clients;
  if (!isRoom || application.mark === undefined) return;
  const undoSessions = markSessions(sessions, new Set(commands.map(({ client }) => client)));
  const undo = application.mark();
  const caps = { ...sessionCaps, keepsAll: true };
  const ran: [Signed<Request>, readonly Uint8Array[]][] = [];
  for (const request of commands) {
    if (!wellFormed(request) || asksForSession(request)) continue;
    const found = runOnce(sessions, slot, request, digest, application, undefined, caps);
    if (!isRefused(found) && found.fresh) ran.push([request, found.results]);
  }
  // Where somebody would be forgotten, the results may be others once it is decided.
  const fits = sessions.size <= sessionsBytes;
  undo();
  undoSessions();
  if (fits) for (const [request, results] of ran) sendReply(step, request, results, { slot, term });
}
