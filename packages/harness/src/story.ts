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
  /** What was committed or accepted; of a traitor, what it told whom. */
  readonly values?: readonly ToldValue[];
  /** Where an honest node wrote it down: nodes that accept for the same position do so in one. */
  readonly place?: string;
  /** Of a commit: whose votes this node counted. Absent: it took another's word for it. */
  readonly voters?: readonly number[];
  /** Of a commit without votes: whom the node takes for the leader. */
  readonly toldBy?: number;
}

/** Requests as a story names them. */
export interface ToldValue {
  /** `Ann then Bob`. */
  readonly name: string;
  /** Of each request its client, its sequence and what it asks for: equal ones are the same. */
  readonly ids: readonly string[];
  /** Whom a traitor told it. */
  readonly to?: readonly number[];
}

/** Requests as a value of a story. */
export const toldValue = (requests: readonly Request[], to?: readonly number[]): ToldValue => ({
  name: nameRequests(requests),
  ids: requests.map((each) => `${each.client}/${each.sequence} ${describeRequest(each)}`),
  ...(to === undefined ? {} : { to }),
});

/** Tells what a replica does from what its machine puts out, simulated or real. */
export interface Storyteller {
  stepped(at: number, output: Output<AnyShape>, status: Status): readonly StoryLine[];
}

/** Requests in a value, found by their kind, not deeper than messages nest them. */
export function requestsIn(value: unknown, depth = 5): readonly Request[] {
  const found: Request[] = [];
  collectRequests(found, value, depth);
  return found;
}

function collectRequests(found: Request[], value: unknown, depth: number): void {
  if (depth === 0 || typeof value !== 'object' || value === null) return;
  if (value instanceof Uint8Array) return;
  if (isRequest(value)) return void found.push(value);
  if (value instanceof Map)
    for (const each of value.values()) collectRequests(found, each, depth - 1);
  else if (Array.isArray(value)) for (const each of value) collectRequests(found, each, depth - 1);
  else
    for (const name in value)
      collectRequests(found, (value as Readonly<Record<string, unknown>>)[name], depth - 1);
}

const isRequest = (value: object): value is Request =>
  'kind' in value && value.kind === 'request' && 'operations' in value;

/** Requests as people read them: `Ann then Bob`, or `nothing` for a no-op. */
export const nameRequests = (requests: readonly Request[]): string =>
  requests.length === 0 ? 'nothing' : requests.map(describeRequest).join(' then ');

/**
 * A storyteller for seat `seat`. A traitor's words are told recipient by recipient; of an honest
 * node one hears what it writes down, what it commits, by whose votes, and whom it follows.
 * `termWord`: what the protocol calls a leader's time in office.
 */
export function storyteller(seat: number, traitor: boolean, termWord = 'term'): Storyteller {
  let term = -1;
  let leader: number | undefined;
  const accepted = new Set<string>();
  return {
    stepped(at, output, status) {
      const lines: StoryLine[] = [];
      if (traitor) lines.push(...told(at, seat, output));
      else {
        lines.push(...writtenDown(at, seat, output, accepted));
        for (const decision of output.decisions)
          lines.push(committed(at, seat, decision, status.leader));
        if (status.leader === seat && (status.leader !== leader || status.term !== term))
          lines.push({ at, seat, kind: 'leads', text: `leads ${termWord} ${status.term}` });
      }
      term = status.term;
      leader = status.leader;
      return lines;
    },
  };
}

function committed(
  at: number,
  seat: number,
  { slot, commands, voters = [] }: Decision<AnyShape>,
  leader: number | undefined,
): StoryLine {
  const value = toldValue(commands);
  const text = `COMMIT ${value.name}`;
  const line = { at, seat, slot, kind: 'commits', text, values: [value] } as const;
  if (voters.length > 0) return { ...line, voters: [...new Set(voters)].sort((a, b) => a - b) };
  return leader === undefined || leader === seat ? line : { ...line, toldBy: leader };
}

/** `Ann→n1, Bob→n2`: what a traitor says to whom in one step, if it carries requests. */
function told(at: number, seat: number, output: Output<AnyShape>): readonly StoryLine[] {
  const said = new Map<string, ToldValue & { readonly to: PrincipalId[] }>();
  const heard = new Set<PrincipalId>();
  for (const { to, message } of [...output.early, ...output.sends]) {
    if (to === 'all' || to === seat || to >= firstClient || message.kind === 'reply') continue;
    const requests = requestsIn(message);
    // What each one hears first is the story; the rest of a step says the same of later positions.
    if (requests.length === 0 || heard.has(to)) continue;
    heard.add(to);
    const value = toldValue(requests);
    const known = said.get(value.name) ?? { ...value, to: [] };
    said.set(value.name, known);
    known.to.push(to);
  }
  return said.size === 0 ? [] : [saidLine(at, seat, [...said.values()])];
}

/** A traitor's words of one moment as a line. */
export const saidLine = (at: number, seat: number, values: readonly ToldValue[]): StoryLine => ({
  at,
  seat,
  kind: 'says',
  text: values
    .map(({ name, to = [] }) => `${name}→${to.map((id) => `n${id}`).join(' ')}`)
    .join(', '),
  values,
});

function writtenDown(
  at: number,
  seat: number,
  output: Output<AnyShape>,
  accepted: Set<string>,
): readonly StoryLine[] {
  const lines: StoryLine[] = [];
  for (const write of output.writes) {
    if (write.type === 'drop') continue;
    const [place, written] =
      write.type === 'put'
        ? [`${String(write.table)}/${write.index}`, write.row]
        : ['registers', write.registers];
    const requests = requestsIn(written);
    const value = toldValue(requests);
    const about = `${place} ${value.name}`;
    if (requests.length === 0 || accepted.has(about)) continue;
    accepted.add(about);
    lines.push({ at, seat, kind: 'accepts', text: `accept ${value.name}`, values: [value], place });
  }
  return lines;
}
