/** What a message of a trace says to people, without the rules of its protocol. */
import { fromHex } from '@quorumlab/core';
import { describeOperation, emptyRequest, requestsIn } from '@quorumlab/harness';
import type { TraceMessage } from '@quorumlab/sim';

/** Signed statements inside a message: a certificate, or what somebody passes on. */
export interface Carried {
  readonly kind: string;
  /** Who signed one. */
  readonly signers: readonly number[];
}

/** A message of a trace. */
export interface MessageView {
  readonly name: string;
  readonly from: number;
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** `Ann then Bob`: the commands in it, or those that its digest stands for; or nothing. */
  readonly values: string;
  readonly carried: readonly Carried[];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How an operation of a trace reads. */
export type DescribeOperation = (operation: Uint8Array) => string;

/** The names of the commands in a part of a trace; empty if there are none. */
export function valuesIn(part: unknown, describe: DescribeOperation = describeOperation): string {
  return requestsIn(part, 7)
    .map(({ operations }) => {
      const texts = (operations as unknown as readonly string[]).map((text) =>
        describe(fromHex(text.slice(2))),
      );
      return texts.length === 0 ? emptyRequest : texts.join('+');
    })
    .join(' then ');
}

/** The messages of a trace. A digest that stands beside commands once names them from then on. */
export function messagesOf(
  rows: ReadonlyMap<string, TraceMessage>,
  describe?: DescribeOperation,
): ReadonlyMap<string, MessageView> {
  const named = new Map<string, string>();
  const views = new Map<string, MessageView>();
  for (const { m, from, kind, body } of rows.values()) {
    const fields = isObject(body) ? body : {};
    // A request by itself is the value; all others have theirs inside.
    const values = valuesIn({ kind, from, ...fields }, describe);
    if (values !== '' && typeof fields.digest === 'string') named.set(fields.digest, values);
    const carried = carriedIn(Object.values(fields));
    views.set(m, { name: m, from, kind, body: fields, values, carried });
  }
  for (const [m, view] of views) {
    const values = view.values || (named.get(String(view.body.digest)) ?? '');
    views.set(m, { ...view, values });
  }
  return views;
}

/** Signed statements anywhere inside, by their kind. */
function carriedIn(parts: readonly unknown[]): readonly Carried[] {
  const found = new Map<string, Set<number>>();
  const add = (kind: unknown, from: unknown): void => {
    if (typeof kind !== 'string' || typeof from !== 'number' || kind === 'request') return;
    found.set(kind, (found.get(kind) ?? new Set()).add(from));
  };
  const look = (value: unknown, depth: number): void => {
    if (depth === 0) return;
    if (Array.isArray(value)) for (const each of value) look(each, depth - 1);
    if (!isObject(value)) return;
    if ('signature' in value) add(value.kind, value.from);
    // A certificate is one body and several seals.
    if (isObject(value.body) && Array.isArray(value.seals))
      for (const each of value.seals) if (isObject(each)) add(value.body.kind, each.from);
    for (const each of Object.values(value)) look(each, depth - 1);
  };
  for (const each of parts) look(each, 8);
  return [...found].map(([kind, signers]) => ({
    kind,
    signers: [...signers].sort((one, two) => one - two),
  }));
}

/** The numbers at the top of a body: what a message is about, such as its view and position. */
export const numbersOf = (body: MessageView['body']): string =>
  JSON.stringify(Object.entries(body).filter(([, value]) => typeof value === 'number'));

/** A part of a message in which two of them differ. */
export interface Difference {
  readonly part: string;
  readonly first: string;
  readonly second: string;
}

/** In which parts two messages differ, as people read them. */
export const differences = (one: MessageView, two: MessageView): readonly Difference[] =>
  [...new Set([...Object.keys(one.body), ...Object.keys(two.body)])].flatMap((part) => {
    const [first, second] = [one.body[part], two.body[part]];
    return JSON.stringify(first) === JSON.stringify(second)
      ? []
      : [{ part, first: partText(first), second: partText(second) }];
  });

/** A part of a message: its commands, or what stands there. */
export const partText = (value: unknown): string => valuesIn(value) || JSON.stringify(value) || '';
