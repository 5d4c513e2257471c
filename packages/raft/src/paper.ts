import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of Raft by the ids that handlers pass to `ctx.line`. Sections marked § and figures are
 * of Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended version
 * of USENIX ATC 2014); "thesis" is Ongaro's "Consensus: Bridging Theory and Practice" (2014);
 * "DISC 2017" is Michael et al., "Recovering Shared Objects Without Stable Storage".
 */
export const paper = {
  'servers-1': {
    section: '§5.3, Figure 2',
    text: 'While commitIndex is above lastApplied, apply the next entry of the log.',
  },
  'servers-2': {
    section: '§5.1, Figure 2',
    text: 'A message of a higher term: adopt the term, forget the vote, become a follower.',
  },
  'followers-2': {
    section: '§5.2, Figure 2',
    text: 'No word of a leader and no vote given for an election timeout: try to become leader.',
  },
  'pre-vote-1': {
    section: 'thesis 9.6',
    text: 'Before raising the term, ask all others whether they would grant a vote.',
  },
  'pre-vote-2': {
    section: 'thesis 9.6',
    text: 'Would grant it: the next term is new, the log is up-to-date, and no leader is heard.',
  },
  'candidates-1': {
    section: '§5.2, Figure 2',
    text: 'Raise the term, vote for oneself, restart the election timer, ask all others.',
  },
  'candidates-2': {
    section: '§5.2, Figure 2',
    text: 'Votes of a majority: become leader.',
  },
  'candidates-3': {
    section: '§5.2, Figure 2',
    text: 'Another one leads this term: become its follower.',
  },
  'request-vote-1': {
    section: '§5.1, Figure 2',
    text: 'Refuse a candidate of an older term, and tell it the newer one.',
  },
  'request-vote-2': {
    section: '§5.2, §5.4.1, Figure 2',
    text: 'Grant the vote if it is not given to another and the candidate is as up-to-date.',
  },
  loyal: {
    section: '§6, thesis 4.2.3',
    text: 'Ignore whoever wants to replace a leader that was heard within an election timeout.',
  },
  'check-quorum': {
    section: 'thesis 6.2',
    text: 'A leader that no majority answered for an election timeout steps down.',
  },
  'leaders-1': {
    section: '§5.2, §8, Figure 2',
    text: 'Upon election, append a no-op of the new term and send it to all.',
  },
  'leaders-2': {
    section: '§5.3, Figure 2',
    text: 'A command of a client: append it to the own log.',
  },
  'leaders-3': {
    section: '§5.3, Figure 2',
    text: 'A follower lacks entries: send them from its nextIndex on.',
  },
  'leaders-3-success': {
    section: '§5.3, Figure 2',
    text: 'It succeeded: raise nextIndex and matchIndex of that follower.',
  },
  'leaders-3-failure': {
    section: '§5.3, Figure 2',
    text: 'The logs differ there: lower nextIndex by the hint and try again.',
  },
  'leaders-4': {
    section: '§5.3, §5.4.2, Figure 2',
    text: 'A majority holds an entry of the current term: it and all before it are committed.',
  },
  'leaders-heartbeat': {
    section: '§5.2, Figure 2',
    text: 'Heartbeats to all, so that nobody starts an election.',
  },
  'leaders-snapshot': {
    section: '§7',
    text: 'The log no longer holds what a follower needs: send the snapshot instead.',
  },
  'append-1': {
    section: '§5.1, Figure 2',
    text: 'Refuse the leader of an older term, and tell it the newer one.',
  },
  'append-2': {
    section: '§5.3, Figure 2',
    text: 'Refuse if the log has no entry of prevTerm at prevIndex.',
  },
  'append-3': {
    section: '§5.3, Figure 2',
    text: 'An own entry has another term than the new one there: delete it and all after it.',
  },
  'append-4': {
    section: '§5.3, Figure 2',
    text: 'Append the entries that are not in the log yet.',
  },
  'append-5': {
    section: '§5.3, Figure 2',
    text: 'Raise commitIndex to leaderCommit, but not beyond the last entry of this message.',
  },
  'read-1': {
    section: '§8, thesis 6.4',
    text: 'An entry of the current term is committed, so commitIndex is up to date: note it.',
  },
  'read-2': {
    section: '§8, thesis 6.4',
    text: 'Send a round of heartbeats for all reads that wait.',
  },
  'read-3': {
    section: '§8, thesis 6.4',
    text: 'A majority answered: the reads are answered once the noted index is applied.',
  },
  'lease-1': {
    section: 'thesis 6.4.1, 4.2.3',
    text: 'With leases: a member that starts helps nobody to lead for an election timeout.',
  },
  'lease-2': {
    section: 'thesis 6.4.1',
    text: 'With leases: while the grants of a majority last, a read needs no message.',
  },
  'snapshot-take': {
    section: '§7, Figure 12',
    text: 'The state is durable up to an index: remember its term and drop entries before it.',
  },
  'install-1': {
    section: '§7, Figure 13',
    text: 'Refuse the snapshot of a leader of an older term, and tell it the newer one.',
  },
  'install-5': {
    section: '§7, Figure 13',
    text: 'Get the snapshot and make it durable.',
  },
  'install-6': {
    section: '§7, Figure 13',
    text: 'The log holds the last entry of the snapshot: keep what follows it.',
  },
  'install-7': {
    section: '§7, Figure 13',
    text: 'The log does not hold it: drop the log, the snapshot takes its place.',
  },
  latest: {
    section: 'thesis 4.1',
    text: 'Go by the latest configuration in the own log, whether it is committed or not.',
  },
  'change-wait': {
    section: 'thesis 4.1, erratum of 2015',
    text: 'No change before an entry of the current term is committed; who asks is to ask again.',
  },
  'change-refuse': {
    section: 'thesis 4.1',
    text: 'The change cannot be made, or not now: why goes into the log, for who asked.',
  },
  'catch-up-1': {
    section: 'thesis 4.2.1',
    text: 'A server that is to vote gets the log first, in rounds.',
  },
  'catch-up-2': {
    section: 'thesis 4.2.1',
    text: 'A round took an election timeout or longer: another one, for what has come since.',
  },
  'catch-up-3': {
    section: 'thesis 4.2.1',
    text: 'A new server is away or too slow: the change is given up.',
  },
  single: {
    section: 'thesis 4.1',
    text: 'At most one voter comes or goes: append C_new, which counts at once.',
  },
  'joint-1': {
    section: '§6, thesis 4.3',
    text: 'Any other change: append C_old,new; from now on both majorities decide.',
  },
  'joint-2': {
    section: '§6, thesis 4.3',
    text: 'C_old,new is committed: append C_new, whoever began the change.',
  },
  leave: {
    section: '§6, thesis 4.2.2',
    text: 'C_new is committed and the leader is not in it: step down.',
  },
  'snapshot-configuration': {
    section: '§7, thesis 5.1',
    text: 'The snapshot holds the configuration as of its last entry.',
  },
  'transfer-1': {
    section: 'thesis 3.10',
    text: 'Another server is to lead: take no more commands, and let it have the whole log.',
  },
  'transfer-2': {
    section: 'thesis 3.10, 6.4.1',
    text: 'It has the whole log: give up all leases of the term, and send it TimeoutNow.',
  },
  'transfer-3': {
    section: 'thesis 3.10, 4.2.3',
    text: 'The leader wants it so: campaign at once, and say so, so that loyal voters answer.',
  },
  'transfer-4': {
    section: 'thesis 3.10',
    text: 'The other did not take over within an election timeout: take commands again.',
  },
  'follower-read-1': {
    section: 'thesis 6.4',
    text: 'A read at a follower: ask the leader for a readIndex, once for all that wait.',
  },
  'follower-read-2': {
    section: 'thesis 6.4',
    text: 'A follower asks: its reads share the next round of heartbeats.',
  },
  'follower-read-3': {
    section: 'thesis 6.4',
    text: 'The leader has answered: the reads are answered once the index is applied here.',
  },
  'rejoin-1': {
    section: 'not in the paper: DISC 2017',
    text: 'The disk was lost: ask all others what one may have promised, and promise nothing.',
  },
  'rejoin-2': {
    section: 'not in the paper: DISC 2017',
    text: 'A member lost its disk: tell it the term and the end of the log, and count it anew.',
  },
  'rejoin-3': {
    section: 'not in the paper: DISC 2017',
    text: 'All others have answered: adopt the highest term, without a vote in it.',
  },
  'rejoin-4': {
    section: 'not in the paper: DISC 2017',
    text: 'The log is as good as the best that was heard: vote and lead again.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
