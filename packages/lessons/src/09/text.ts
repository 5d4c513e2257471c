import type { LessonText } from '../lesson.ts';

/** The words of lesson 9. */
export const text: LessonText = {
  title: 'One traitor',
  idea:
    'A protocol that was made for crashes believes every word, so one node that says two things ' +
    'is enough.',
  text: [
    'Until now nodes crashed, and messages were lost. Nobody lied. From here on a node may ' +
      'say anything: because somebody took it over, or because its disk or memory is bad.',
    'The leader of this Raft group signs one value for one half of the others, and another ' +
      'value for the rest.',
  ],
  question: {
    ask: 'Raft commits what a majority holds. Will the two halves commit different values?',
    choices: {
      no: 'no: neither value is on an honest majority',
      yes: 'yes: each half takes the word of the leader',
    },
  },
  explanation: [
    'The run ended {main.word}: {main.sentence}. {main.liars} lied. Behind {main.value} stand ' +
      '{main.behind}, and behind {main.other} stand {main.behindOther}; both have {main.both}.',
    'A follower does not count votes. It commits what the leader says is committed. The ' +
      'leader was elected by a majority, but nothing checks what it says after that.',
    'It is not Raft alone. Under the same attack Basic Paxos ended {paxos.word}, Multi-Paxos ' +
      '{multi.word}, Zab {zab.word} and EPaxos {epaxos.word}.',
  ],
  breaking: [
    'Here the attack is what breaks it. The same group, the same clients and the same seed, ' +
      'without the lie, end {mended.word}: {mended.sentence}.',
  ],
  exercise: {
    ask: 'How many Raft servers does it take, so that one lying leader does no harm?',
    choices: {
      5: 'five',
      7: 'seven',
      9: 'nine',
      none: 'no number of servers is enough',
    },
  },
};
