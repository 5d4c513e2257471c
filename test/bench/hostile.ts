/**
 * What one hostile member, or one hostile client, can take from the others of a real group: each
 * kind of message of a protocol, as fast as it can, while an honest client writes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { protocolOf } from '@quorumlab/harness';
import { clientMessages, serviced } from '@quorumlab/log';
import { benchProtocol } from './cluster/shared.ts';
import { type Variant, variants } from './hostile/forge.ts';
import { type Attack, specials } from './hostile/shared.ts';
import { type Figures, Siege } from './hostile/siege.ts';
import type { Part, Row, Settings } from './measure.ts';

/**
 * What the others keep: a share of their throughput, at most so many times their p99, so many MB
 * of memory, of which most comes back, and a control socket that answers in so many milliseconds.
 */
const goal = { kept: 0.8, p99: 2, growth: 100, heldAfter: 25, answer: 100 };

/** The rows of one protocol. */
export const hostileRows =
  (protocol: string): Part =>
  async (settings) => {
    const n = protocolOf(protocol).claims.replicas(1);
    const home = await mkdtemp(join(tmpdir(), 'quorumlab-hostile-'));
    const rows: Row[] = [];
    try {
      for (const by of ['member', 'client'] as const) {
        if (settings.by !== undefined && settings.by !== by) continue;
        const siege = new Siege({ protocol, n, by, home });
        try {
          for (const attack of attacksOf(protocol, n, by, settings)) {
            const row = rowOf(protocol, by, attack, await siege.row(attack));
            rows.push(row);
            console.log(`  ${row.name}: ${row.more}`);
          }
        } finally {
          await siege.end();
        }
      }
    } finally {
      await rm(home, { recursive: true, force: true });
    }
    const met = rows.filter(({ verdicts }) => Object.values(verdicts ?? {}).every(Boolean));
    console.log(
      `${protocol}: in ${met.length} of ${rows.length} rows the others keep ${goal.kept * 100} % ` +
        `and twice the p99 at most, memory grows by at most ${goal.growth} MB and comes back, ` +
        `and the control socket answers in ${goal.answer} ms.\n`,
    );
    return rows;
  };

/** All kinds of all messages, and what stands below them. */
function attacksOf(protocol: string, n: number, by: string, settings: Settings): Attack[] {
  const group = serviced(benchProtocol(protocol, n));
  const all = group.messages.kinds.map(({ kind }) => kind);
  const ofMembers = group.protocol.messages.kinds.map(({ kind }) => kind).join(',');
  // What only members say is refused by its kind if a client says it: one row has all of them.
  const kinds =
    by === 'member' ? all : [...clientMessages.kinds.map(({ kind }) => kind), ofMembers];
  const ways: (Variant | 'mixed')[] =
    settings.variant === undefined
      ? ['mixed']
      : settings.variant === 'all'
        ? [...variants]
        : [settings.variant as Variant];
  const attacks: Attack[] = kinds.flatMap((kind) => ways.map((variant) => ({ kind, variant })));
  const below = specials.map((special): Attack => ({ special }));
  // Who has no place among the members is the same for both.
  const [control, ...others] = by === 'client' ? below : below.slice(0, 2);
  const wanted = [control as Attack, ...attacks, ...others];
  const { kind } = settings;
  if (kind === undefined) return wanted;
  const names = kind.split(',');
  const known = [...kinds.flatMap((each) => each.split(',')), ...specials];
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new RangeError(`A ${by} of ${protocol} has no ${stranger}; it has ${known.join(', ')}.`);
  return wanted.filter((each) =>
    'kind' in each
      ? each.kind.split(',').some((name) => names.includes(name))
      : names.includes(each.special),
  );
}

function nameOf(attack: Attack): string {
  if ('special' in attack) return attack.special;
  const name = attack.kind.includes(',') ? 'all that only members say' : attack.kind;
  return attack.variant === 'mixed' ? name : `${name}, ${attack.variant}`;
}

function rowOf(protocol: string, by: string, attack: Attack, found: Figures): Row {
  const { kept, p99Ratio, growth, heldAfter, pause, answer, alive, recovered } = found;
  const { frames, megabytes, refused, cores } = found;
  const verdicts = {
    alive,
    throughput: kept >= goal.kept,
    p99: p99Ratio <= goal.p99,
    memory: growth <= goal.growth && heldAfter <= goal.heldAfter,
    control: answer <= goal.answer,
  };
  const said = (what: string, isMet: boolean): string => `${what} (${isMet ? 'met' : 'MISSED'})`;
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  const more = [
    said(`keeps ${Math.round(kept * 100)} %`, verdicts.throughput),
    said(`p99 x ${p99Ratio.toFixed(1)}`, verdicts.p99),
    said(`memory +${growth.toFixed(0)}, then +${heldAfter.toFixed(0)} MB`, verdicts.memory),
    said(`control socket in ${answer.toFixed(0)} ms`, verdicts.control),
    said(alive ? `recovers in ${Math.max(0, recovered).toFixed(1)} s` : 'dead or stuck', alive),
    `pause ${pause.toFixed(0)} ms`,
    `${cores.map((each) => each.toFixed(2)).join(' to ')} cores`,
    `${frames} frames, ${megabytes.toFixed(0)} MB`,
    ...reasons.map(([reason, count]) => `${count} ${reason}`),
  ];
  return {
    part: `hostile-${protocol}`,
    name: `${protocol}, ${by}: ${nameOf(attack)}`,
    value: Math.round(kept * 100),
    unit: '%',
    target: { value: goal.kept * 100, better: 'more' },
    more: more.join('; '),
    verdicts,
  };
}
