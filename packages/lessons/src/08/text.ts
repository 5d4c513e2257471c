import type { LessonText } from '../lesson.ts';

/** The words of lesson 8. */
export const text: LessonText = {
  title: 'EPaxos: no leader',
  idea: 'Only commands that interfere need an order, and any replica may start one.',
  text: [
    'Each replica leads its own commands. It asks the others which commands interfere with ' +
      'the new one, and these become its dependencies. If enough of them say the same, one ' +
      'round trip commits it: the fast path. Otherwise there is a second round.',
    'Here all clients write one key, so every two commands interfere.',
  ],
  question: {
    ask:
      'Two replicas each start a command at the same time, and the commands interfere. What ' +
      'must be equal on all replicas?',
    choices: {
      commit: 'the order in which the two are committed',
      execute: 'the order in which the two are executed',
      nothing: 'nothing: each replica may use its own order',
    },
  },
  explanation: [
    'The group of {main.n} answered {main.answered} operations, with {main.perCommit} ' +
      'messages for each, and all states agree. When clients write keys of their own more ' +
      'often, it is {apart.perCommit} messages.',
    'Commits may come in any order. A replica runs a command only when all that it depends on ' +
      'is committed. Commands that depend on each other are run together, in an order that ' +
      'everybody works out alike.',
  ],
  breaking: [
    'The mutant {broken.mutant} runs a command although one of its dependencies is not ' +
      'committed yet. Its schedule: {broken.schedule}',
    'The replicas ran the two in different orders: {broken.sentence}.',
  ],
  exercise: {
    ask:
      'A command leader crashes, and another replica finds its command, pre-accepted but not ' +
      'committed. What may it do?',
    choices: {
      commit: 'commit it: it may have been committed on the fast path',
      ask: 'ask first whether a command that interferes with it was committed without it',
      overwrite:
        'report what it once accepted as accepted under the newest number that it has joined',
    },
  },
};
