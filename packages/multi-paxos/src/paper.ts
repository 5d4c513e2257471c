import type { PaperLine } from '@quorumlab/core';

const line = (section: string, text: string): PaperLine => ({ section, text });
const live = (section: string): string => `Paxos Made Live ${section}`;

/**
 * The steps of Multi-Paxos by the ids that handlers pass to `ctx.line`. Sections marked § are of
 * Lamport, "Paxos Made Simple" (2001); "Paxos Made Live" is Chandra, Griesemer and Redstone, PODC
 * 2007; what neither says has the name of the source that does.
 */
export const paper = {
  elect: line('§2.4', 'No word of a leader for a while: choose a ballot above all seen, keep it.'),
  'phase-1a': line('§3', 'Prepare, for all slots not known to be chosen, with one message.'),
  'phase-1b': line('§3', 'Promise, and tell of all votes in those slots.'),
  loyal: line('Ongaro, thesis 4.2.3', 'Whoever hears a leader does not help to replace it.'),
  nack: line('§2.5', 'A ballot below the promise: tell its proposer of the higher one.'),
  'step-down': line('§2.5', 'A leader that hears of a higher ballot gives up.'),
  'phase-1-behind': line(live('5.5'), 'Others know more to be chosen than promises hold: get it.'),
  'phase-1-each': line('§3', 'Slots of another configuration: its members have to promise too.'),
  'learn-promised': line('§3', 'A promise knows a slot to be chosen: so does the candidate now.'),
  lead: line('§3', 'Promises of a quorum: this is the leader.'),
  'propose-again': line('§3', 'Propose again the reported value of the highest ballot.'),
  'fill-no-op': line('§3', 'Nobody has voted in a gap: propose a no-op there.'),
  forward: line('§3', 'Clients send commands to the leader; a replica that is not passes them on.'),
  forwarded: line('§3', 'The leader takes a command that another replica passed on.'),
  'phase-2a': line('§3', 'Propose a command at the next slot, before earlier slots are chosen.'),
  'phase-2b': line('§2.2', 'Accept, unless a higher ballot was promised, and keep that.'),
  accuse: line('MultiPaxos-SMR.tla', 'One vote per ballot and slot: two proposals prove a lie.'),
  chosen: line('§2.3', 'A quorum has accepted: the value is chosen.'),
  execute: line('§3', 'Execute commands in the order of their slots, once all before are known.'),
  'learn-by-ballot': line('§2.3', 'The leader says chosen, and the own vote is of its ballot.'),
  'catch-up': line(live('5.5'), 'Something chosen is missing: ask for it.'),
  teach: line(live('5.5'), 'Tell a replica that has fallen behind what was chosen.'),
  learn: line(live('5.5'), 'Take over what another replica knows to be chosen.'),
  heartbeat: line('§2.4', 'The leader lets others know that it works, and what is chosen.'),
  'heartbeat-ack': line(
    'Ongaro, thesis 6.4',
    'A follower that has promised nothing higher says so.',
  ),
  'check-quorum': line('Ongaro, thesis 6.2', 'A leader that no quorum answers makes room.'),
  'read-1': line(
    'Ongaro, thesis 6.4',
    'Note how far the log is chosen; ask whether it still leads.',
  ),
  'read-2': line('Ongaro, thesis 6.4', 'Answers that meet every phase 1 quorum: the read may go.'),
  'lease-1': line(
    live('5.2'),
    'With leases: whoever starts promises nothing for an election timeout.',
  ),
  'lease-2': line(
    live('5.2'),
    'With leases: while those of a quorum last, a read needs no message.',
  ),
  change: line('§3', 'The members are part of the state: a command changes them, α slots on.'),
  'refuse-change': line('§3', 'A change that would leave no group, or comes too early, is void.'),
  'fill-alpha': line('§3', 'No-ops lead to the slot where a change takes effect.'),
  leave: line('§3', 'The group goes on without its leader, which steps down.'),
  'snapshot-take': line(live('5.5'), 'The state is on the disk: the log may lose its head.'),
  'snapshot-offer': line(live('5.5'), 'What was asked for is dropped: offer the snapshot.'),
  'snapshot-fetch': line(live('5.5'), 'Get a snapshot, because the log begins too late.'),
  'snapshot-install': line(live('5.5'), 'Take over the state and the group, go on after its slot.'),
  recall: line(live('5.1'), 'The disk is lost: ask all others, and take part in nothing.'),
  rejoin: line('Michael et al., DISC 2017', 'All have answered: promise and hold what they know.'),
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
