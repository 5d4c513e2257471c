/** Events as sentences. */
import { fromHex } from '@quorumlab/core';
import { describeOperation } from '@quorumlab/harness';
import type { VoteGroup } from './fold.ts';
import { type MessageView, valuesIn } from './message.ts';
import { type EventView, nameOf, sendOf, type TraceModel } from './model.ts';

/** `157.2 ms`. */
export const timeText = (microseconds: number): string =>
  `${(microseconds / 1000).toFixed(1).replace('.0', '')} ms`;

/** `append-entries with Bob`. */
export const messageText = ({ kind, values }: MessageView): string =>
  values === '' ? kind : `${kind} with ${values}`;

const why: Readonly<Record<string, string>> = {
  lost: 'the network lost it',
  cut: 'the link is cut',
  down: 'the receiver is down',
  signature: 'its signatures are wrong',
  overflow: 'the receiver holds too much already',
  oversized: 'it is too large',
  taken: 'this run takes it away',
};

/** What happened, as one sentence without its full stop. */
export function sentenceOf(model: TraceModel, event: EventView): string {
  const { k, details, message } = event;
  const who = nameOf(model, event.n);
  if (message !== undefined) return carriedSentence(model, event, message, who);
  switch (k) {
    case 'input':
      return `${who} asks for ${operationText(details.operation)}`;
    case 'timer':
      return `${who}: the timer ${String(details.timer)} is due`;
    case 'state':
      return stateSentence(model, event, who);
    case 'accept':
      return `${who} has written ${writesText(details)} to its disk`;
    case 'commit':
      return commitSentence(model, event, who);
    case 'apply':
      return `${who} runs request ${String(details.sequence)} of position ${String(details.slot)}`;
    case 'crash':
      return `${who} stops${details.reason === undefined ? '' : `: ${String(details.reason)}`}`;
    case 'restart':
      return `${who} starts again`;
    case 'split':
      return `the network is cut: ${cutText(details)}`;
    case 'heal':
      return 'the network is whole again';
    case 'skew':
      return `the clock of ${who} is ${skewText(details)}`;
    case 'corrupt':
      return `the disk of ${who} behaves otherwise from now on`;
    case 'violation':
      return `${String(details.word)}: ${String(details.sentence)}`;
    default:
      return noteSentence(model, details, who);
  }
}

function carriedSentence(
  model: TraceModel,
  event: EventView,
  message: MessageView,
  who: string,
): string {
  const what = messageText(message);
  const from = nameOf(model, sendOf(model, event)?.n ?? message.from);
  switch (event.k) {
    case 'send':
      return `${who} sends ${what} to ${nameOf(model, event.to ?? -1)}`;
    case 'dup':
      return `the network repeats ${what} from ${who} to ${nameOf(model, event.to ?? -1)}`;
    case 'drop': {
      const cause = String(event.details.why);
      return `${what} from ${from} does not reach ${who}: ${why[cause] ?? cause}`;
    }
    default:
      return `${who} receives ${what} from ${from}`;
  }
}

function stateSentence(model: TraceModel, { n, details }: EventView, who: string): string {
  const { role, term, leader } = details;
  if (role === 'client')
    return typeof leader === 'number'
      ? `${who} takes ${nameOf(model, leader)} for the leader`
      : `${who} knows no leader`;
  const of = `${String(role)} in ${model.termWord} ${String(term)}`;
  if (leader === n) return `${who} leads: it is ${of}`;
  return typeof leader === 'number'
    ? `${who} is ${of} and follows ${nameOf(model, leader)}`
    : `${who} is ${of}`;
}

function commitSentence(
  { describe }: TraceModel,
  { details, conflicts }: EventView,
  who: string,
): string {
  const value = valuesIn(details.commands, describe) || 'nothing';
  const sentence = `${who} commits ${value} at position ${String(details.slot)}`;
  return conflicts ? `${sentence}, where another honest node commits something else` : sentence;
}

/** What has happened to a clock, in words. */
function skewText({ by, driftPerBillion, source }: EventView['details']): string {
  const drifts =
    Number(driftPerBillion ?? 0) === 0
      ? ''
      : `, and drifts by ${Number(driftPerBillion) / 1000} ppm`;
  if (source === undefined) return `set ahead by ${timeText(Number(by ?? 0))}${drifts}`;
  return `set by a source that is ${timeText(Number(source))} ahead${drifts}`;
}

function noteSentence(model: TraceModel, details: EventView['details'], who: string): string {
  if ('answer' in details) return `${who} has the answer to its request ${String(details.answer)}`;
  if ('accused' in details)
    return `${who} has proof that ${nameOf(model, Number(details.accused))} lied`;
  if ('fired' in details) return `the attack acts: ${String(details.fired)} at ${who}`;
  if ('hurried' in details) return `all timers of ${who} fire at once`;
  if ('paused' in details) return details.paused ? `${who} is held` : `${who} goes on`;
  if ('healed' in details) return 'no fault is to come any more';
  if ('backup' in details) return `the disk of ${who} is copied`;
  return `${who} notes ${JSON.stringify(details)}`;
}

function operationText(operation: unknown): string {
  return typeof operation === 'string' ? describeOperation(fromHex(operation.slice(2))) : 'that';
}

function writesText({ saved, rows }: EventView['details']): string {
  const names = Array.isArray(saved) ? saved.map(String) : [];
  const tables = Object.entries((rows ?? {}) as Readonly<Record<string, readonly number[]>>).map(
    ([table, places]) => `${table} ${places.join(', ')}`,
  );
  return [...names, ...tables].join(' and ') || 'nothing';
}

function cutText({ groups, from, to }: EventView['details']): string {
  const text = (group: unknown): string =>
    Array.isArray(group) ? group.map((id) => `n${id}`).join(' ') : '';
  return Array.isArray(groups)
    ? groups.map(text).join(' | ')
    : `nothing gets from ${text(from)} to ${text(to)}`;
}

/** Equal votes as one sentence: who has them of whom. */
export function voteSentence(model: TraceModel, { to, message, senders, lied }: VoteGroup): string {
  const whose = senders.map((id) => nameOf(model, id)).join(', ');
  const one = lied ? ', a liar among them' : '';
  const of = `${senders.length} of ${model.n}`;
  return `${nameOf(model, to)} has ${messageText(message)} of ${whose}: ${of}${one}`;
}

/** What a whole run shows, for those who cannot see the picture. */
export function summaryOf(model: TraceModel, at = model.events.length - 1): string {
  const { protocol, n, events, violation } = model;
  const end = violation === undefined || violation > at ? undefined : events[violation];
  const none = at < events.length - 1 ? 'no violation so far' : 'no violation';
  const so = end === undefined ? none : `${sentenceOf(model, end)} at ${timeText(end.t)}`;
  return `${protocol}, ${n} replicas, ${events.length} events: ${so}`;
}
