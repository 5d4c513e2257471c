/**
 * What one hostile member, or one hostile client, can take from the others of a real group: each
 * kind of message of a protocol, as fast as it can, while an honest client writes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { protocolOf } from '@quorumlab/harness';
import { serviceMessages } from '@quorumlab/log';
import { benchProtocol } from './cluster/shared.ts';
import { type Variant, variants } from './hostile/forge.ts';
import { type Attack, specials } from './hostile/shared.ts';
import { type Figures, Siege } from './hostile/siege.ts';
import type { Part, Row, Settings } from './measure.ts';

/**
 * What the others keep: a share of their throughput, at most so many times their p99, and so many
 * MB of memory, of which most comes back.
 */
const goal = { kept: 0.8, p99: 2, growth: 100, heldAfter: 25 };

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
            console.log(`  ${row.name}: ${row.value} %; ${row.more}`);
          }
        } finally {
          await siege.end();
        }
      }
    } finally {
      await rm(home, { recursive: true, force: true });
    }
    const met = rows.filter(({ more }) => !more?.startsWith('missed'));
    console.log(
      `${protocol}: in ${met.length} of ${rows.length} rows the others keep ${goal.kept * 100} % ` +
        'and twice the p99 at most, and memory comes back.\n',
    );
    return rows;
  };

/** All kinds of all messages, and what stands below them. */
function attacksOf(protocol: string, n: number, by: string, settings: Settings): Attack[] {
  const all = serviceMessages(benchProtocol(protocol, n).messages).kinds.map(({ kind }) => kind);
  const ways: (Variant | 'mixed')[] =
    settings.variant === undefined
      ? ['mixed']
      : settings.variant === 'all'
        ? [...variants]
        : [settings.variant as Variant];
  const attacks: Attack[] = all.flatMap((kind) => ways.map((variant) => ({ kind, variant })));
  const below = specials.map((special): Attack => ({ special }));
  // Who has no place among the members is the same for both.
  const [control, ...others] = by === 'client' ? below : below.slice(0, 2);
  const wanted = [control as Attack, ...attacks, ...others];
  const { kind } = settings;
  if (kind === undefined) return wanted;
  return wanted.filter((each) =>
    kind.split(',').includes('kind' in each ? each.kind : each.special),
  );
}

const nameOf = (attack: Attack): string =>
  'special' in attack
    ? attack.special
    : attack.variant === 'mixed'
      ? attack.kind
      : `${attack.kind}, ${attack.variant}`;

function rowOf(protocol: string, by: string, attack: Attack, found: Figures): Row {
  const { kept, p99Ratio, growth, heldAfter, pause, answer, alive, recovered } = found;
  const { frames, megabytes, refused, cores } = found;
  const misses = [
    ...(alive ? [] : ['life']),
    ...(kept < goal.kept ? ['throughput'] : []),
    ...(p99Ratio > goal.p99 ? ['p99'] : []),
    ...(growth > goal.growth || heldAfter > goal.heldAfter ? ['memory'] : []),
  ];
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  const more = [
    ...(misses.length === 0 ? [] : [`missed: ${misses.join(', ')}`]),
    `p99 x ${p99Ratio.toFixed(1)}`,
    `memory +${growth.toFixed(0)}, then +${heldAfter.toFixed(0)} MB`,
    `pause ${pause.toFixed(0)} ms`,
    `answers in ${answer.toFixed(0)} ms`,
    `${cores.map((each) => each.toFixed(2)).join(' to ')} cores`,
    alive ? `recovers in ${recovered.toFixed(1)} s` : 'DEAD or stuck',
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
  };
}
