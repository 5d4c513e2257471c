/**
 * What liars try first with a protocol, in recorded runs: signatures that nobody made, certificates
 * with a signer too few. And whether its disk is told all that it must not forget.
 */
import { type Field, type Machine, stored, type Tagged } from '@quorumlab/core';
import { serviced } from '@quorumlab/log';
import { alike } from '../attacked/alike.ts';
import { attacked } from '../attacked/attacked.ts';
import { forgeries, hasCertificate } from '../attacked/spoil.ts';
import type { AnyShape, Prepared } from '../prepare.ts';
import type { ProtocolEntry } from '../protocol-entry.ts';
import type { Scenario } from '../scenario.ts';
import { liveGroup } from './live.ts';

/** Messages that a group says before its run is cut off. */
const messages = 800;

/**
 * What of the stable state of `scenario`'s replicas is not what the writes of their steps made it.
 */
export function unwritten(entry: ProtocolEntry, scenario: Scenario): readonly string[] {
  const found = new Set<string>();
  const { n, f, options } = scenario;
  const fields = serviced(entry.create({ n, f, ...(options ? { options } : {}) })).stored;
  const large = new Set(Object.keys(fields).filter((name) => isLarge(fields, name)));
  liveGroup(scenario, entry, messages, (machine, stable) => {
    let disk = stable ?? machine.snapshot().stable;
    let steps = 0;
    const written: Machine<AnyShape> = {
      ...machine,
      step(input) {
        const output = machine.step(input);
        for (const write of output.writes) disk = stored<AnyShape>(disk, write);
        // A change that nobody wrote stays, so that looking now and then finds it too.
        if (++steps % 8 > 0) return output;
        const now = machine.snapshot().stable;
        for (const [name, value] of Object.entries(now))
          if (!isOn(disk[name as keyof typeof disk], value, large.has(name)))
            found.add(`${input.event.type} changes ${name}, and no write says so`);
        return output;
      },
    };
    return written;
  });
  return [...found];
}

const isLarge = (fields: object, name: string): boolean =>
  (fields as Readonly<Record<string, Field<unknown>>>)[name]?.isLarge === true;

/**
 * Whether a field is on the disk as its replica says. Rows are kept by their index, whatever the
 * order in which they were written, and large ones until the room is needed.
 */
function isOn(disk: unknown, field: unknown, mayLag: boolean): boolean {
  if (!(field instanceof Map && disk instanceof Map)) return alike(disk, field);
  return (
    (mayLag || disk.size === field.size) &&
    [...field].every(([index, row]) => disk.has(index) && alike(disk.get(index), row))
  );
}

/**
 * Which certificates count in a run of `scenario` although they have one signer less than any that
 * somebody honest sends.
 */
export function tooShort(entry: ProtocolEntry, scenario: Scenario): readonly string[] {
  const least = new Map<string, number>();
  const counted = new Map<string, number>();
  const less = (of: Map<string, number>, place: string, signers: number): void =>
    void of.set(place, Math.min(signers, of.get(place) ?? signers));
  /** Signers of the certificate that was just shortened and did what the honest one does. */
  let suspect: number | undefined;
  const create: ProtocolEntry['create'] = (size, mutant) =>
    attacked(entry.create(size, mutant), {
      perSituation: 2,
      attacks: hasCertificate,
      wants: (attack) => attack.includes(' without '),
      reacted({ attack, effects, right, isLikeHonest }) {
        if (attack.endsWith(', by two')) return;
        const [place = '', size = ''] = attack.split(' without ');
        const isSame = effects.length > 0 && effects.join() === right.join() && isLikeHonest();
        if (size.startsWith(oneOf)) {
          const signers = Number(size.slice(oneOf.length));
          less(least, place, signers);
          suspect = isSame ? signers : undefined;
          // Where none at all would do as well, the certificate is not what counts.
        } else if (suspect !== undefined && !isSame) less(counted, place, suspect);
      },
    });
  liveGroup(scenario, { ...entry, create }, messages);
  return [...counted]
    .filter(([place, signers]) => signers === least.get(place))
    .map(([place, signers]) => `${place} counts without one of its ${signers} signers`);
}

const oneOf = 'one of ';

/** The places in `messages` at which a forged signature is taken for a good one. */
export function takenForgeries(
  { group, keyring }: Prepared,
  messages: readonly Tagged[],
): { readonly tried: number; readonly taken: readonly string[] } {
  const ring = keyring(0, 0);
  const taken = new Set<string>();
  let tried = 0;
  for (const message of messages)
    for (const [name, part] of Object.entries(message))
      for (const [where, other] of forgeries(part, name)) {
        // Only signatures differ, so it is as good a message as the one that it was made of.
        const forged = { ...message, [name]: other } as Parameters<typeof ring.checkEvidence>[0];
        tried++;
        if (ring.checkEvidence(forged, group.evidence(forged)))
          taken.add(`${message.kind}.${where.replaceAll(/\[\d+\]/g, '[]')}`);
      }
  return { tried, taken: [...taken] };
}
