import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Tendermint: locks. */
export const lesson: Lesson = {
  number: 12,
  text,
  main: { scenario: { protocol: 'tendermint', attack: 'silent-leader', count: 2 } },
  shows: 'ok',
  decisive: { kind: 'commit' },
  breaks: wrong('tendermint', 'no-lock'),
  into: 'forked',
  more: { kept: wrong('tendermint', 'no-unlock') },
  answer: ({ broken, kept }) =>
    broken.word === 'forked' && kept?.word === 'stalled' ? 'move' : 'keep',
  exercise: {
    nil: [survives(wrong('tendermint', 'nil-polka-unlock'))],
    claim: [survives(wrong('tendermint', 'trust-valid-round'))],
    proof: [
      survives(right('tendermint', 'nil-polka-unlock')),
      survives(right('tendermint', 'trust-valid-round')),
      survives(right('tendermint', 'lock-amnesia')),
    ],
    restart: [survives(wrong('tendermint', 'lock-amnesia'))],
  },
};
