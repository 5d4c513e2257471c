import type { Decision, Output, PrincipalId, Request, Status } from '@quorumlab/core';
import { firstClient } from '@quorumlab/core';
import { describeRequest } from './describe.ts';
import type { AnyShape } from './prepare.ts';

/** One thing that a node did, in a few words, for the column of that node. */
export interface StoryLine {
  /** Microseconds since the start. */
  readonly at: number;
  readonly seat: number;
  readonly text: string;
  /** What the line is about, if it is about one: for showing only the contested position. */
  readonly slot?: number;
  readonly kind: 'says' | 'accepts' | 'commits' | 'leads' | 'befalls';
}

/** Tells what a replica does from what its machine puts out, simulated or real. */
export interface Storyteller {
  stepped(at: number, output: Output<AnyShape>, status: Status): readonly StoryLine[];
}

/** Requests in a value, found by their kind, not deeper than messages nest them. */
export function requestsIn(value: unknown, depth = 5): readonly Request[] {
  if (depth === 0 || typeof value !== 'object' || value === null) return [];
  if (value instanceof Uint8Array) return [];
  if (isRequest(value)) return [value];
  const parts: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value);
  return [...parts].flatMap((each) => requestsIn(each, depth - 1));
}

const isRequest = (value: object): value is Request =>
  'kind' in value && value.kind === 'request' && 'operations' in value;

/** Requests as people read them: `Ann then Bob`, or `nothing` for a no-op. */
export const nameRequests = (requests: readonly Request[]): string =>
  requests.length === 0 ? 'nothing' : requests.map(describeRequest).join(' then ');

/**
 * A storyteller for seat `seat`. A traitor's words are told recipient by recipient; of an honest
 * node one hears what it writes down, what it commits and whom it follows.
 */
export function storyteller(seat: number, traitor: boolean): Storyteller {
  let term = -1;
  let leader: number | undefined;
  const accepted = new Set<string>();
  return {
    stepped(at, output, status) {
      const lines: StoryLine[] = [];
      if (traitor) lines.push(...told(at, seat, output));
      else {
        lines.push(...writtenDown(at, seat, output, accepted));
        for (const { slot, commands } of output.decisions as readonly Decision<AnyShape>[])
          lines.push({ at, seat, slot, kind: 'commits', text: `COMMIT ${nameRequests(commands)}` });
        if (status.leader === seat && (status.leader !== leader || status.term !== term))
          lines.push({ at, seat, kind: 'leads', text: `leads term ${status.term}` });
      }
      term = status.term;
      leader = status.leader;
      return lines;
    },
  };
}

/** `Ann→n1, Bob→n2`: what a traitor says to whom in one step, if it carries requests. */
function told(at: number, seat: number, output: Output<AnyShape>): readonly StoryLine[] {
  const said = new Map<string, PrincipalId[]>();
  const heard = new Set<PrincipalId>();
  for (const { to, message } of [...output.early, ...output.sends]) {
    if (to === 'all' || to === seat || to >= firstClient || message.kind === 'reply') continue;
    const requests = requestsIn(message);
    // What each one hears first is the story; the rest of a step says the same of later positions.
    if (requests.length === 0 || heard.has(to)) continue;
    heard.add(to);
    const name = nameRequests(requests);
    said.set(name, [...(said.get(name) ?? []), to]);
  }
  if (said.size === 0) return [];
  const text = [...said].map(([name, to]) => `${name}→${to.map((id) => `n${id}`).join(' ')}`);
  return [{ at, seat, kind: 'says', text: text.join(', ') }];
}

function writtenDown(
  at: number,
  seat: number,
  output: Output<AnyShape>,
  accepted: Set<string>,
): readonly StoryLine[] {
  const lines: StoryLine[] = [];
  for (const write of output.writes) {
    if (write.type !== 'put') continue;
    const requests = requestsIn(write.row);
    const name = nameRequests(requests);
    if (requests.length === 0 || accepted.has(`${write.index} ${name}`)) continue;
    accepted.add(`${write.index} ${name}`);
    lines.push({ at, seat, kind: 'accepts', text: `accept ${name}` });
  }
  return lines;
}
