/** A group whose every delivery, timeout and crash is a line of a transcript. */
import {
  type Event,
  firstClient,
  type Protocol,
  type Request,
  replica,
  type Signature,
  type Signed,
  seal,
  toUtf8,
} from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import { type Recipe, ScriptedHost } from '@quorumlab/protocol-testing';
import { digestOf } from '@quorumlab/wire';
import { notation, textOf } from './notation.ts';

/** `deliver from=0 to=(1,2) drop`: named arguments, numbers in brackets, bare words. */
export interface Arguments {
  readonly words: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

interface Packet {
  readonly from: number;
  readonly to: number;
  readonly message: Signed<LogShape['Message']>;
}

class Node extends ScriptedHost<LogShape> {
  readonly decided = new Map<number, string>();
}

/** Runs commands; each answers with what happened, line by line. */
export interface Group {
  run(verb: string, given: Arguments): readonly string[];
}

const unsigned = new Uint8Array(0) as Signature;
const numbers = (text = ''): number[] => (text.match(/\d+/g) ?? []).map(Number);

/** Builds the group of a `group` command: `group pbft n=4 f=1 unsafe mutant=... option=1`. */
export function openGroup({ words, named }: Arguments): Group {
  const own = [...named].filter(([name]) => !['n', 'f', 'mutant'].includes(name));
  const entry = protocolOf(words[0] ?? '');
  const n = Number(named.get('n'));
  let f = 0;
  while (entry.claims.replicas(f + 1) <= n) f++;
  const options = Object.fromEntries(own.map(([name, value]) => [name, JSON.parse(value)]));
  const protocol: Protocol<LogShape> = entry.create(
    { n, f: Number(named.get('f') ?? f), unsafe: words.includes('unsafe'), options },
    named.get('mutant'),
  );
  const clock = { now: 0 };
  const recipeOf = (id: number): Recipe<LogShape> => ({
    make: (stable) => replica(protocol, id, { digest: digestOf, stable }),
    blank: () => protocol.stable(),
  });
  const nodes = protocol.members.map((id) => new Node(id, recipeOf(id), clock));
  const liars = new Map<number, readonly number[]>();
  const known: Signed<Request>[] = [];
  const decisions = new Map<number, readonly [node: number, text: string]>();
  let packets: Packet[] = [];
  let parts: readonly (readonly number[])[] = [];
  let out: string[] = [];

  const nodeOf = (text: string | undefined): Node => {
    const node = nodes[Number(text)];
    if (node === undefined) throw new Error(`there is no node ${text}; use 0 to ${n - 1}`);
    return node;
  };

  function say(from: number, to: readonly number[], message: LogShape['Message']): void {
    const lied = to.filter((each) => each !== from && liars.get(from)?.includes(each));
    const other = lied.length > 0 ? protocol.conflict?.(message, 0, known) : undefined;
    const told = other !== undefined && other !== message ? lied : [];
    const rest = to.filter((each) => !told.includes(each));
    for (const [who, what] of [
      [rest, message],
      [told, other ?? message],
    ] as const) {
      if (who.length === 0) continue;
      out.push(`${from} → ${who.length === n ? 'all' : who.join()}  ${notation(what)}`);
      for (const each of who) packets.push({ from, to: each, message: seal(what, from, unsigned) });
    }
  }

  function step(id: number, event: Event<LogShape>): void {
    const node = nodes[id] as Node;
    if (!node.up) return;
    const before = node.machine.status();
    const output = node.run(event);
    const { role, term } = node.machine.status();
    if (role !== before.role || term !== before.term) out.push(`${id} is ${role} of ${term}`);
    const sends = [...output.early, ...output.sends];
    for (const { to, message } of sends)
      if (to === 'all') say(id, protocol.members, message);
      else {
        // One message to several is one line, as the papers write it.
        const same = sends.filter((each) => each.to !== 'all' && each.message === message);
        if (same[0]?.to === to)
          say(
            id,
            same.map((each) => each.to as number),
            message,
          );
      }
    for (const { slot, commands } of output.decisions) decide(id, slot, commands.map(textOf));
    for (const { first } of output.accusations) out.push(`${id} accuses ${first.from}`);
  }

  function decide(id: number, slot: number, commands: readonly string[]): void {
    const text = commands.join('+') || 'nothing';
    (nodes[id] as Node).decided.set(slot, text);
    out.push(`${id} decides ${slot}: ${text}`);
    if (liars.has(id)) return;
    const [who, what] = decisions.get(slot) ?? [id, text];
    decisions.set(slot, [who, what]);
    if (what !== text) out.push(`FORK at ${slot}: ${who} decided ${what}, ${id} decided ${text}`);
  }

  const cut = ({ from, to }: Packet): boolean =>
    parts.some((part) => part.includes(from) !== part.includes(to));

  function deliver(chosen: readonly Packet[], drop: boolean): void {
    packets = packets.filter((packet) => !chosen.includes(packet));
    for (const packet of drop ? [] : chosen)
      if (!cut(packet)) step(packet.to, { type: 'message', message: packet.message });
  }

  const matching = ({ named }: Arguments): Packet[] =>
    packets.filter(
      ({ from, to, message: { kind } }) =>
        numbers(named.get('from') ?? `${from}`).includes(from) &&
        numbers(named.get('to') ?? `${to}`).includes(to) &&
        (named.get('kind') ?? kind).split(',').includes(kind),
    );

  const verbs: Readonly<Record<string, (given: Arguments) => void>> = {
    propose({ words: [id, text = ''] }) {
      const [sequence, operations] = [known.length + 1, [toUtf8(text)]];
      const fields = { client: firstClient, sequence, acknowledged: 0, operations } as const;
      const command = seal<Request>({ kind: 'request', ...fields }, firstClient, unsigned);
      known.push(command);
      for (const each of numbers(id)) step(each, { type: 'propose', command });
    },
    deliver: (given) => deliver(matching(given), given.words.includes('drop')),
    settle(given) {
      for (let i = 0; i < 200 && matching(given).length > 0; i++) deliver(matching(given), false);
    },
    timeout({ words: [id, timer = ''] }) {
      clock.now = Math.max(clock.now, nodeOf(id).due(timer) ?? 0);
      step(Number(id), nodeOf(id).fired(timer));
    },
    crash({ words: [id] }) {
      nodeOf(id).crash();
      packets = packets.filter(({ to }) => to !== Number(id));
    },
    restart({ words: [id], named: how }) {
      nodeOf(id).boot(how.get('disk') === 'lost' ? 'blank' : 'kept');
      step(Number(id), { type: 'start' });
    },
    equivocate: ({ words: [id], named: whom }) =>
      void liars.set(Number(id), numbers(whom.get('to'))),
    partition({ words: groups }) {
      parts = groups.map(numbers);
    },
    heal() {
      parts = [];
    },
    show({ words: [id] }) {
      const { machine, decided, up } = nodeOf(id);
      const { role, term, leader } = up ? machine.status() : { role: 'down', term: 0 };
      const log = [...decided].map(([slot, text]) => `${slot}:${text}`).join(' ');
      out.push(`${id} is ${role} of ${term}, leader ${leader ?? 'unknown'}, decided ${log || '-'}`);
    },
  };
  for (const id of protocol.members) step(id, { type: 'start' });
  return {
    run(verb, given) {
      out = [];
      const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
      if (act === undefined) throw new Error(`${verb} is none of ${Object.keys(verbs).join(', ')}`);
      act(given);
      return out;
    },
  };
}
