import { expect, test } from 'vitest';
import { coveredTable } from './covered.ts';

test('what tests of one subject have covered is added up, a row for each subject', () => {
  const rows = [
    { subject: 'raft', counts: { worlds: 400, events: 1_200_000 } },
    { subject: 'raft', counts: { worlds: 1, places: 7 } },
    { subject: 'hotstuff:chained', counts: { events: 5 } },
  ];
  expect(coveredTable(rows)).toEqual([
    'covered           worlds     events  places',
    'raft                 401  1,200,000       7',
    'hotstuff:chained       0          5       0',
  ]);
  expect(coveredTable([])).toEqual([]);
});
