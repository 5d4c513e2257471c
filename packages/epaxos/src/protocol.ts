/**
 * EPaxos*: Ryabinin, Gotsman and Sutra, "Making Democracy Work: Fixing and Simplifying Egalitarian
 * Paxos" (OPODIS 2025). There is no leader: whichever replica a client asks leads that command.
 * Commands that do not interfere are not ordered; those that do find each other as dependencies.
 *
 * ```text
 *                   of each instance a replica has on disk: ballot, which it joined; accepted, in
 *                   which ballot it accepted; phase; its command and dependencies; and initial, the
 *                   dependencies that its command leader proposed
 *
 *                   Commit (rules 1 to 6)
 * submit            upon a command: in a new instance i: D ← known instances that interfere
 * hold                unless too many own ones are not executed yet
 *                     initial ← D; phase ← pre-accepted; send ⟨pre-accept, i, c, D⟩ to all
 * pre-accept        upon ⟨pre-accept, i, c, D⟩ at ballot 0 in phase initial: initial ← D
 *                     dependencies ← D ∪ known instances that interfere; phase ← pre-accepted
 *                     answer ⟨pre-accept-ok, i, dependencies⟩
 *                   upon answers of n-f at ballot 0:
 * fast-path           if n-e of them are D: commit i with D
 * grace               if they may still come: wait a little
 * slow-path           else: have c accepted with all dependencies that were named
 * accept            upon ⟨accept, b, i, c, D⟩, b ≥ ballot: ballot, accepted ← b
 *                     (command, dependencies) ← (c, D); phase ← accepted; answer ⟨accept-ok, b, i⟩
 * chosen            upon ⟨accept-ok, b, i⟩ of n-f: commit: send ⟨commit, b, i, c, D⟩ to all
 * commit            upon ⟨commit, b, i, c, D⟩: phase ← committed, with c and D
 * resubmit            if it is an own one and c is a no-op: its command gets another instance
 *
 *                   Recovery (rules 7 to 12), in a ballot of its own for each instance
 * recover           upon no news of i: ballot ← one above all heard; send ⟨recover, ballot, i⟩
 * join              upon ⟨recover, b, i⟩, b > ballot: ballot ← b; answer what is known of i
 * nack              upon a lower ballot than the one that was joined: answer ⟨nack, ballot⟩
 * recover-committed   if i is committed here: answer ⟨commit, i, …⟩, and that is all
 *                   upon answers of Q, n-f of them; of those that accepted in the highest ballot:
 * recover-accepted    one has accepted: have that accepted
 *                     otherwise, of all of Q:
 * recover-leader      its command leader is among them: have a no-op accepted
 * recover-unsure      |Q|-e at least have pre-accepted it with D = initial: it may be committed
 * validate              all of Q name obstacles: what interferes, is not in D, and has not i in D′
 * valid-now             nobody names one: have c accepted with D
 * invalid               one is committed, or led from outside of Q by no chance: no-op
 * wait                  else wait for them: send ⟨waiting, i, how many had D⟩ to all
 * wait-invalid          one is committed without i, or waits with too many: no-op
 * wait-valid            all are committed, as no-ops or with i: have c accepted with D
 * wait-told             a late answer has it accepted or committed, or is of its leader
 * recover-no-op       else: have a no-op accepted
 *
 *                   Execution (rule 14)
 * blocked           a committed instance waits for all that it depends on to be committed
 * execute           strongly connected components, dependencies first, each by instance number
 *
 *                   For ever, in bounded memory (ours)
 * checkpoint        when enough was executed: open an instance that interferes with all others
 * cut               upon executing it: all replicas have executed the same; a snapshot is due
 * void              what is not executed two checkpoints after it was opened never will be
 * ```
 *
 * Beyond this page: `repeat`, `progress`, `ask` and `answer` (`patience.ts`, `catch-up.ts`),
 * `snapshot-take`, `snapshot-offer`, `snapshot-fetch` and `snapshot-install` (`checkpoint.ts`), and
 * `recall`, `recalled` and `rejoin` of a replica that lost its disk (`rejoin.ts`).
 *
 * The roles of a replica, each of which leads what its own clients ask for:
 *
 * | from | to | when |
 * |---|---|---|
 * | | replica | it starts |
 * | | rejoining | it starts, and its disk was lost |
 * | rejoining | replica | all others have answered, and what was open is settled |
 */
import type { Protocol } from '@quorumlab/core';
import { onAccept, onAcceptOk } from './accept.ts';
import { guards } from './admits.ts';
import { onAsk, onOffer, onProgress } from './catch-up.ts';
import { snapshotInstalled, snapshotTaken } from './checkpoint.ts';
import { onCommit } from './commit.ts';
import { groupOf, leaderOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import type { Message } from './messages.ts';
import { tick } from './patience.ts';
import { graceTimeout, onPreAccept, onPreAcceptOk } from './pre-accept.ts';
import { onNack, onRecover, onRecoverOk } from './recovery.ts';
import { askOthers, onRecall, onRecalled, rejoin, start } from './rejoin.ts';
import { onPropose, wants } from './requests.ts';
import { type Rules, rules } from './rules.ts';
import { settle } from './settle.ts';
import { type Epaxos, firstStable, firstVolatile, stored } from './state.ts';
import { onValidate, onValidateOk, onWaiting } from './validation.ts';
import { conflict, vows } from './vows.ts';

const option = 'maxBytesPerInstance';
const limitedBy = {
  'pre-accept': option,
  accept: option,
  commit: option,
  'recover-ok': option,
  validate: option,
};

/** The ballot that a message speaks of. */
const ballotIn = (message: Message): number =>
  message.kind === 'nack' ? message.joined : 'ballot' in message ? message.ballot : 0;

/**
 * EPaxos* for a group. Throws `OptionsError` if it is too small for `e` and `f`. The second
 * argument exists for tests of what happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { epaxos } from '@quorumlab/epaxos';
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 *
 * const group = epaxos({ n: 3 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function epaxos(options: Options, chosen: Partial<Rules> = {}): Protocol<Epaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'epaxos',
    version: 1,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'conflicts' },
    members: group.members,
    group,
    f: group.f,
    client: { matching: 1, ask: 'any', stays: true, signed: false },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(stable, group.n, self),
    start,
    rejoin,
    propose: onPropose,
    on: {
      'pre-accept': onPreAccept,
      'pre-accept-ok': onPreAcceptOk,
      accept: onAccept,
      'accept-ok': onAcceptOk,
      commit: onCommit,
      recover: onRecover,
      'recover-ok': onRecoverOk,
      validate: onValidate,
      'validate-ok': onValidateOk,
      waiting: onWaiting,
      nack: onNack,
      progress: onProgress,
      ask: onAsk,
      'snapshot-offer': onOffer,
      recall: onRecall,
      recalled: onRecalled,
    },
    admits: guards(group),
    wants: (replica, command) => wants(group, replica, command),
    timeout(replica, timer, ctx) {
      if (timer === 'tick') tick(replica, ctx);
      else if (timer === 'grace') graceTimeout(replica, ctx);
      else askOthers(replica, ctx);
    },
    settle,
    snapshotEvery: group.snapshotEvery,
    snapshotTaken,
    snapshotInstalled,
    termWord: 'ballot',
    counter: { name: 'ballot', said: ballotIn, known: ({ heard }) => heard },
    // Nobody leads the group; each replica leads what its own clients ask for.
    status: ({ heard: term, role, nextOwn }) =>
      role === 'replica' ? { leader: leaderOf(group, nextOwn), term, role } : { term, role },
    vows,
    conflict,
    invariant: (replica) => invariant(group, replica),
  };
}
