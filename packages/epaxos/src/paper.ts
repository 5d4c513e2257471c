import type { PaperLine } from '@quorumlab/core';

const line = (section: string, text: string): PaperLine => ({ section, text });

/**
 * The steps of EPaxos* by the ids that handlers pass to `ctx.line`. Sections marked § are of
 * Ryabinin, Gotsman and Sutra, "Making Democracy Work: Fixing and Simplifying Egalitarian Paxos"
 * (OPODIS 2025); 'rule' counts the list in the README; 'ours' is in neither.
 */
export const paper = {
  submit: line('rule 1', 'Open an instance: propose a command with the dependencies known here.'),
  'pre-accept': line('rule 2', 'Add the interfering instances known here, keep that, answer.'),
  'fast-path': line('rule 3', 'n-e answers with what was proposed: commit at once.'),
  'slow-path': line('rule 3', 'Answers differ: have all dependencies that were named accepted.'),
  grace: line('rule 3', 'Wait a little for the fast path although the slow one is open.'),
  accept: line('rule 4', 'Accept, unless a higher ballot was joined, and keep that.'),
  chosen: line('rule 5', 'n-f have accepted: commit.'),
  commit: line('rule 6', 'Take over what is committed; it is so for good.'),
  recover: line('rule 7', 'No news of an instance for a while: a ballot above all seen, for it.'),
  join: line('rule 8', 'Join the ballot and tell what is known; nothing is accepted by that.'),
  nack: line('ours', 'A ballot below the one that was joined: tell its owner of that.'),
  'recover-committed': line('rule 9a', 'One of the quorum knows it to be committed: so it is.'),
  'recover-accepted': line('rule 9b', 'Accepted in the highest ballot: have that accepted again.'),
  'recover-leader': line('rule 9c', 'Its leader is in the quorum and took no fast path: no-op.'),
  'recover-unsure': line('rule 9d', 'So many pre-accepted it unchanged: perhaps it is committed.'),
  'recover-no-op': line('rule 9e', 'Too few pre-accepted it unchanged: no-op.'),
  validate: line('rule 10', 'Name what interferes and may not have it among its dependencies.'),
  'valid-now': line('rule 11', 'Nobody names an obstacle: have it accepted as it was proposed.'),
  invalid: line('rule 11', 'An obstacle shows that the fast path was not taken: no-op.'),
  wait: line('rule 11', 'The obstacles are not committed yet: wait for them, and say so.'),
  'wait-invalid': line('rule 12', 'It turned out that the fast path was not taken: no-op.'),
  'wait-valid': line('rule 12', 'No obstacle is left: have it accepted as it was proposed.'),
  'wait-told': line('rule 12', 'A late answer tells what to do.'),
  resubmit: line('rule 13', 'Its own instance came to nothing: its commands get another.'),
  execute: line('rule 14', 'All dependencies are executed, or in one cycle with it: execute.'),
  blocked: line('rule 14', 'A dependency is not committed: what needs it waits.'),
  checkpoint: line('ours', 'So much was executed: open an instance that all others depend on.'),
  cut: line('ours', 'A checkpoint is executed: all replicas have executed the same.'),
  void: line('ours', 'Not executed for two checkpoints: it never will be.'),
  hold: line('ours', 'Too much is open that is not executed: open nothing before it is.'),
  repeat: line('ours', 'No answer yet: say it again.'),
  progress: line('ours', 'Tell the others what is committed here.'),
  ask: line('ours', 'Something is missing or undecided here: ask for it.'),
  answer: line('ours', 'Tell what is committed.'),
  'snapshot-take': line(
    'ours',
    'The state after a checkpoint is on the disk: drop what led to it.',
  ),
  'snapshot-offer': line('ours', 'What was asked for is dropped: offer the snapshot.'),
  'snapshot-fetch': line('ours', 'Get the snapshot of another replica.'),
  'snapshot-install': line('ours', 'Take over the state, and go on after its checkpoint.'),
  recall: line('ours', 'The disk is lost: ask all others, and take part in nothing.'),
  recalled: line('ours', 'Tell which instances are open, and where the next ones begin.'),
  rejoin: line('ours', 'All have answered and all that was open is settled: take part again.'),
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
