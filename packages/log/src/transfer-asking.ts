/** Whom a transfer asks for what, and when it looks again. */
import type { Digest, Instant } from '@quorumlab/core';
import { type Holder, hasteOf, longestPatience, patienceWith } from './holders.ts';
import { owed, type Transfer, type TransferPorts, whole } from './transfer-state.ts';

/** Most chunks under way: 3 MiB. */
const mostUnderWay = 24;
/** Asks whoever may be asked for what may be asked for, and sets the timer for the rest. */
export function advance(transfer: Transfer, ports: TransferPorts): void {
  if (whole(transfer) !== undefined) return;
  const { slot, root } = transfer;
  const { now } = ports;
  for (const holder of transfer.holders) {
    if (holder.rest > now || (holder.state !== 'unheard' && holder.state !== 'absent')) continue;
    holder.askedAt = now;
    holder.rest = now + Math.min(longestPatience, patienceWith(holder) * 2 ** holder.vain);
    holder.vain = Math.min(holder.vain + 1, 8);
    ports.send(holder.id, { kind: 'snapshot-request', slot, root });
  }
  askForChunks(transfer, ports);
  setAlarm(transfer, ports);
}

/** One chunk of each holder in turn, until nobody may owe more or nothing is left to ask for. */
function askForChunks(transfer: Transfer, ports: TransferPorts): void {
  const { holders, missing, root } = transfer;
  const { now } = ports;
  const usable = holders.filter(({ state, rest }) => state === 'ready' && rest <= now);
  let underWay = owed(holders);
  for (let asked = true; asked; ) {
    asked = false;
    for (const holder of usable) {
      if (underWay >= mostUnderWay) return;
      if (holder.owes.size >= holder.window) continue;
      const name = next(transfer, holder, usable, now);
      const wanted = name === undefined ? undefined : missing.get(name);
      if (name === undefined || wanted === undefined) continue;
      asked = true;
      underWay += 1;
      wanted.asked.push(holder.id);
      wanted.underWay += 1;
      wanted.since = now;
      holder.owes.set(name, now);
      ports.send(holder.id, { kind: 'chunk-request', root, index: wanted.index });
    }
  }
}

/** What to ask `holder` for. */
function next(
  { missing }: Transfer,
  holder: Holder,
  usable: readonly Holder[],
  now: Instant,
): Digest | undefined {
  for (const [name, { underWay, asked }] of missing)
    if (underWay === 0 && !asked.includes(holder.id)) return name;
  for (const [name, wanted] of missing) {
    if (wanted.underWay > 0 || !usable.every(({ id }) => wanted.asked.includes(id))) continue;
    // Everybody was asked in vain, so all of them are asked once more.
    wanted.asked = [];
    return name;
  }
  for (const [name, { underWay, asked, since }] of missing)
    if (underWay === 1 && now - since >= hasteOf(holder) && !asked.includes(holder.id)) return name;
  return undefined;
}

/** Sets the timer to when something is late, or somebody may be asked again. */
function setAlarm(transfer: Transfer, ports: TransferPorts): void {
  const { holders, others, touched, stall } = transfer;
  const { now } = ports;
  let due = now + longestPatience;
  if (others.length > 0) due = Math.min(due, touched + stall);
  for (const holder of holders) {
    if (holder.state === 'liar') continue;
    if (holder.rest > now) due = Math.min(due, holder.rest);
    for (const since of holder.owes.values()) due = Math.min(due, since + patienceWith(holder));
  }
  due = Math.min(due, whenToHaste(transfer, now));
  if (transfer.alarm > now && transfer.alarm <= due) return;
  transfer.alarm = Math.max(due, now + 1);
  ports.wait(transfer.alarm - now);
}

/** When another holder may be asked for a chunk that only one is asked for. */
function whenToHaste({ holders, missing }: Transfer, now: Instant): Instant {
  let due = Number.POSITIVE_INFINITY;
  if (owed(holders) >= mostUnderWay) return due;
  // Whoever may owe more has nothing else to be asked for, so that little is missing.
  for (const holder of holders)
    if (holder.state === 'ready' && holder.rest <= now && holder.owes.size < holder.window)
      for (const { underWay, since, asked } of missing.values())
        if (underWay === 1 && !asked.includes(holder.id))
          due = Math.min(due, since + hasteOf(holder));
  return due;
}
