/** A group whose every delivery, timeout and crash is a line of a transcript. */
import {
  type Event,
  firstClient,
  type Machine,
  type Protocol,
  type Request,
  range,
  replica,
  type Signature,
  type Signed,
  seal,
  toUtf8,
} from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
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

interface Node {
  machine: Machine<LogShape> | undefined;
  stable: LogShape['Stable'] | undefined;
  /** By name: when it fires at the latest. */
  readonly timers: Map<string, number>;
  readonly decided: Map<number, string>;
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
  const nodes: Node[] = range(n).map(() => ({
    machine: undefined,
    stable: undefined,
    timers: new Map(),
    decided: new Map(),
  }));
  const liars = new Map<number, readonly number[]>();
  const known: Signed<Request>[] = [];
  const decisions = new Map<number, readonly [node: number, text: string]>();
  let packets: Packet[] = [];
  let parts: readonly (readonly number[])[] = [];
  let now = 0;
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
    if (node.machine === undefined) return;
    const before = node.machine.status();
    const output = node.machine.step({ now, clock: { earliest: now, latest: now }, event });
    node.stable = node.machine.snapshot().stable;
    for (const change of output.timers) {
      if (change.type === 'clear') node.timers.delete(change.timer);
      else node.timers.set(change.timer, now + Math.max(...[change.after].flat()));
    }
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

  function start(id: number, stable: LogShape['Stable'] | undefined): void {
    const node = nodes[id] as Node;
    node.timers.clear();
    node.machine = replica(protocol, id, { digest: digestOf, ...(stable ? { stable } : {}) });
    step(id, { type: 'start' });
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
      const due = nodeOf(id).timers.get(timer);
      if (due === undefined) throw new Error(`${id} has no timer ${timer} armed`);
      now = Math.max(now, due);
      nodeOf(id).timers.delete(timer);
      step(Number(id), { type: 'timeout', timer });
    },
    crash({ words: [id] }) {
      nodeOf(id).machine = undefined;
      packets = packets.filter(({ to }) => to !== Number(id));
    },
    restart({ words: [id], named: how }) {
      start(Number(id), how.get('disk') === 'lost' ? undefined : nodeOf(id).stable);
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
      const { machine, decided } = nodeOf(id);
      const { role, term, leader } = machine?.status() ?? { role: 'down', term: 0 };
      const log = [...decided].map(([slot, text]) => `${slot}:${text}`).join(' ');
      out.push(`${id} is ${role} of ${term}, leader ${leader ?? 'unknown'}, decided ${log || '-'}`);
    },
  };
  for (const id of protocol.members) start(id, undefined);
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
