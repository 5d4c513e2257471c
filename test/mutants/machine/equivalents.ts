/** Mutants that nobody can tell from the right code, and why. */

/** One of them, found by its texts, because lines move. */
export interface Equivalent {
  /** The end of its path. */
  readonly file: string;
  /** The line in which it stands, where the rest is not enough. */
  readonly within?: string;
  readonly before: string;
  readonly after: string;
  /** Why no run can show a difference. A sentence. */
  readonly why: string;
}

type Change = readonly [before: string, after: string];

/** Several of one file for one reason. */
const alike = (file: string, why: string, ...changes: readonly Change[]): readonly Equivalent[] =>
  changes.map(([before, after]) => ({ file, before, after, why }));

/** All that are known. */
export const equivalents: readonly Equivalent[] = [
  {
    file: 'raft/src/rejoin.ts',
    before: 'peer !== ctx.self',
    after: 'true',
    why: 'What a replica asks itself is refused there: it is no peer of its own, and waits.',
  },
  {
    file: 'raft/src/rejoin.ts',
    within: 'if (rejoining === null || !isBehind(replica)) return;',
    before: 'rejoining === null',
    after: 'false',
    why: 'Who is not coming back is not behind either, which the next condition asks.',
  },
  {
    file: 'raft/src/rejoin.ts',
    before: 'rejoining.best?.index',
    after: 'rejoining.best.index',
    why: 'A replica is deaf until it knows the best log, so that is known here.',
  },
  {
    file: 'raft/src/rejoin.ts',
    before: 'replica.rejoining?.nonce',
    after: 'replica.rejoining.nonce',
    why: 'The line before lets only those through who wait, and who waits has a question.',
  },
  {
    file: 'raft/src/election.ts',
    before: 'heardAt !== null',
    after: 'true',
    why: 'Never heard counts as heard at 0: the timer first fires when that is a timeout ago.',
  },
  {
    file: 'raft/src/leader.ts',
    before: 'index < next',
    after: 'index <= next',
    why: 'There is no entry at the next index, and nothing is noted of none.',
  },
  {
    file: 'raft/src/leader.ts',
    within: 'note(leader, leader.log.get(index)?.command ?? null);',
    before: 'leader.log.get(index)?.command',
    after: 'leader.log.get(index).command',
    why: 'What is committed and no more is in the snapshot; every entry after it is in the log.',
  },
  ...['true', 'entries.length >= 0'].map((after) => ({
    file: 'raft/src/leader.ts',
    before: 'entries.length > 0',
    after,
    why: 'Any one entry fits into an append, so the first is never too much.',
  })),
  {
    file: 'raft/src/replication.ts',
    within: "if (replica.role === 'leader') forget(replica, entry.command);",
    before: "replica.role === 'leader'",
    after: 'true',
    why: 'Only a leader has noted anything that could be forgotten.',
  },
  {
    file: 'raft/src/replication.ts',
    before: 'index <= (leader.matchIndex.get(member) as Index)',
    after: 'index < leader.matchIndex.get(member)',
    why: 'What is known already is noted again, and commits what is committed.',
  },
  ...['true', 'index >= leader.commitIndex'].map((after) => ({
    file: 'raft/src/replication.ts',
    before: 'index > leader.commitIndex',
    after,
    why: 'It saves the count where nothing can come of it: what is committed is not counted again.',
  })),
  {
    file: 'raft/src/replication.ts',
    before: 'highest <= leader.commitIndex',
    after: 'highest < leader.commitIndex',
    why: 'What is committed is committed once more, and nothing is left to be applied.',
  },
  {
    file: 'raft/src/replication.ts',
    before: 'safe > follower.commitIndex',
    after: 'safe >= follower.commitIndex',
    why: 'What is committed is committed once more, and nothing is left to be applied.',
  },
  ...alike(
    'core/src/bytes.ts',
    'In which buffer a copy lies nobody can see: sharing one is only faster.',
    ['length > slabLimit', 'true'],
    ['length > slabLimit', 'length >= slabLimit'],
    ['slabUsed + length > slabBytes', 'true'],
    ['slabUsed + length > slabBytes', 'slabUsed + length >= slabBytes'],
    ['slabUsed + length > slabBytes', 'slabUsed + length <= slabBytes'],
  ),
  ...alike(
    'core/src/bytes.ts',
    'Both ways copy the same bytes: which is faster depends on how many they are.',
    ['length > 32', 'true'],
    ['length > 32', 'false'],
    ['length > 32', 'length >= 32'],
    ['length > 32', 'length <= 32'],
  ),
  ...alike(
    'core/src/bytes.ts',
    'A buffer that grows too soon, or by less, holds the same.',
    ['need <= to.bytes.length', 'need < to.bytes.length'],
    ['to.bytes.length * 2', 'to.bytes.length / 2'],
  ),
  ...alike(
    'core/src/bytes.ts',
    'Both ways divide by 128: shifting is faster where it can be done.',
    ['rest < 0x80000000', 'false'],
    ['rest < 0x80000000', 'rest <= 0x80000000'],
  ),
  ...alike(
    'core/src/bytes.ts',
    'What needs no look at the bytes, or is done by the engine, is only faster.',
    ['first === second', 'false'],
    ['nativeToHex !== undefined', 'false'],
    ['nativeSetFromHex !== undefined && text.length % 2 === 0 && !/[^0-9a-f]/.test(text)', 'false'],
  ),
  ...alike(
    'core/src/bytes.ts',
    'Beyond both ends there is nothing, and nothing is equal to nothing.',
    ['i < first.length', 'i <= first.length'],
  ),
  ...alike(
    'core/src/quorum.ts',
    'Both ways count the members that are present, each once.',
    ['size <= few', 'true'],
    ['size <= few', 'false'],
    ['size <= few', 'size < few'],
    ['size <= few', 'size > few'],
  ),
  ...alike(
    'core/src/counting.ts',
    'In which order kinds stand decides how many combinations are looked at, not what is found.',
    [
      '[...kinds.values()].sort((a, b) => a.members.length - b.members.length)',
      '[...kinds.values()]',
    ],
    ['(a, b) => a.members.length - b.members.length', '() => undefined'],
    ['a.members.length - b.members.length', 'a.members.length + b.members.length'],
  ),
  ...alike(
    'core/src/journal.ts',
    'A list that was copied, or taken in two ways, is the same list.',
    ['all.length === 0', 'false'],
    ['joined === undefined', 'true'],
    ['count < gathering.length', 'true'],
    ['count < gathering.length', 'count <= gathering.length'],
  ),
  ...alike(
    'core/src/journal.ts',
    'What passes at once passes as well through the queue, which is empty then.',
    ['gathering.length === 0 && syncing.length === 0 && !releasing', 'false'],
    ['isFirst && output.writes.length === 0', 'false'],
  ),
  ...alike('core/src/vote.ts', 'A text is no member, and counts for nothing.', [
    '[]',
    '["Stryker was here"]',
  ]),
  ...alike(
    'checker/src/safety.ts',
    'Where a value is kept, and by which of two ways of counting, nobody can see.',
    ['which === 0', 'false'],
    ['cursor.ordinal + 1', 'cursor.ordinal - 1'],
    ['place >= 0 && place <= rows.dense.length + gap', 'false'],
    ['place >= 0', 'place > 0'],
    ['place <= rows.dense.length + gap', 'place < rows.dense.length + gap'],
    ['rows.dense.length + gap', 'rows.dense.length - gap'],
    ['place < dense.length', 'place <= dense.length'],
  ),
  ...alike(
    'checker/src/history.ts',
    'A call that changes nothing is never taken where it need not run.',
    ['returnedAt === undefined && model.isRead(input)', 'false'],
  ),
  ...alike('checker/src/linearizability.ts', 'No comparison with a time that is not there holds.', [
    'call.returnedAt !== undefined',
    'true',
  ]),
  ...alike(
    'checker/src/seen.ts',
    'A table that grows too soon, or is searched the other way round, holds the same.',
    ['2 * (seen.count + 1) > seen.table.length', '2 * (seen.count + 1) >= seen.table.length'],
    ['seen.used + length > seen.words.length', 'seen.used + length >= seen.words.length'],
    ['slot + 1', 'slot - 1'],
  ),
  ...alike(
    'checker/src/search.ts',
    'How far the words that all have in common reach decides how much is kept, not what is found.',
    ['search.low < returned && isTaken(search, search.low)', 'false'],
    ['search.low < returned', 'search.low >= returned'],
  ),
  ...alike(
    'adversary/src/trigger.ts',
    'Nothing is neither larger nor smaller than any number.',
    ['slot !== undefined', 'true'],
    ['view !== undefined', 'true'],
  ),
  ...alike(
    'hotstuff/src/pipeline.ts',
    'What proves the view of a block has just been learnt, so no block is of a later view.',
    ['!group.rules.provesViews && block.view > replica.view', 'false'],
    [
      '!group.rules.provesViews && block.view > replica.view',
      '!group.rules.provesViews || block.view > replica.view',
    ],
    ['block.view > replica.view + maxViewsAhead', 'false'],
    ['block.view > replica.view + maxViewsAhead', 'block.view >= replica.view + maxViewsAhead'],
  ),
  {
    file: 'hotstuff/src/pipeline.ts',
    within: 'if (!group.rules.provesViews && block.view > replica.view) replica.view = block.view;',
    before: '!group.rules.provesViews',
    after: 'group.rules.provesViews',
    why: 'What proves the view of a block has just been learnt, so no block is of a later view.',
  },
  ...alike(
    'hotstuff/src/pipeline.ts',
    'Only a flawed variant forgets requests that are proposed.',
    ['group.rules.forgetsProposed', 'false'],
  ),
  ...alike(
    'hotstuff/src/certificates.ts',
    'No honest replica votes in view 0, so no quorum does.',
    ['justify.body.view > 0', 'true'],
    ['justify.body.view > 0', 'justify.body.view >= 0'],
  ),
  ...alike(
    'hotstuff/src/pacemaker.ts',
    'It saves the search: of fewer timeouts than a quorum no view has a quorum.',
    ['replica.timeoutVotes.size < group.quorum', 'false'],
  ),
  ...alike(
    'disk/src/format.ts',
    'Both ways mask the same bytes: by words is faster where they lie so.',
    ['isLittleEndian && (bytes.byteOffset + start) % 4 === 0', 'true'],
    ['isLittleEndian && (bytes.byteOffset + start) % 4 === 0', 'false'],
    [
      'isLittleEndian && (bytes.byteOffset + start) % 4 === 0',
      'isLittleEndian || (bytes.byteOffset + start) % 4 === 0',
    ],
    ['(bytes.byteOffset + start) % 4 === 0', 'true'],
    ['(bytes.byteOffset + start) % 4 === 0', '(bytes.byteOffset + start) % 4 !== 0'],
    ['(bytes.byteOffset + start) % 4', '(bytes.byteOffset + start) * 4'],
    ['bytes.byteOffset + start', 'bytes.byteOffset - start'],
  ),
  ...alike(
    'disk/src/format.ts',
    'At most three bytes are left; what lies behind them is set afterwards, or is not there.',
    ['at < end', 'at <= end'],
    ['at + 1 < end', 'true'],
    ['at + 1 < end', 'at + 1 <= end'],
    ['at + 1', 'at - 1'],
    ['at + 2 < end', 'true'],
    ['at + 2 < end', 'at + 2 <= end'],
    ['at + 2', 'at - 2'],
    ['at + 3 < end', 'true'],
    ['at + 3 < end', 'false'],
    ['at + 3 < end', 'at + 3 <= end'],
    ['at + 3 < end', 'at + 3 >= end'],
    ['at + 3', 'at - 3'],
  ),
  ...['cells.ts', 'log.ts', 'queue.ts', 'rows-beside.ts'].flatMap((file) =>
    ['row', 'batch', 'group.bytes'].flatMap((buffer) =>
      ['spare', 'queue.spare'].flatMap((spare) =>
        alike(
          `disk/src/${file}`,
          'A buffer that is not given back is made anew: the bytes in it are the same.',
          [`${spare}.give(${buffer});`, ';'],
        ),
      ),
    ),
  ),
  ...alike(
    'disk/src/crc32c.ts',
    'Both ways take the same bytes in: eight at once is faster.',
    ['at + 8 <= end', 'false'],
    ['at + 8 <= end', 'at + 8 < end'],
  ),
  ...alike(
    'disk/src/reader.ts',
    'What is not taken from the window is read again: the bytes are the same.',
    ['position >= start && position + length <= start + bytes.length', 'false'],
    ['position >= start', 'position > start'],
    ['position + length <= start + bytes.length', 'position + length < start + bytes.length'],
    ['start + bytes.length', 'start - bytes.length'],
    ['ready !== undefined', 'false'],
    [
      'Math.min(windowBytes, Math.max(size - position, 0))',
      'Math.max(windowBytes, Math.max(size - position, 0))',
    ],
    ['Math.max(size - position, 0)', 'Math.min(size - position, 0)'],
    ['size - position', 'size + position'],
  ),
  ...alike(
    'disk/src/reader.ts',
    'Beyond the end of a file there are zeros, and nothing that is not zero is found there.',
    ['position < reader.size', 'position <= reader.size'],
    ['reader.size - position', 'reader.size + position'],
  ),
  ...alike(
    'disk/src/recover.ts',
    'Beyond the end of a file there are zeros, and no record begins with them.',
    ['reader.size - recordHeaderBytes', 'reader.size + recordHeaderBytes'],
    ['stop - start', 'stop + start'],
  ),
  ...alike('disk/src/recover.ts', 'Where there is no segment nothing is compared with it.', [
    '{ sequence: 0, record: 0, link: 0 }',
    '{}',
  ]),
  ...[
    ['torn: state?.torn ?? false,', 'false', 'true'],
    ['marked: state?.marked ?? false,', 'false', 'true'],
  ].map(([within = '', before = '', after = '']) => ({
    file: 'disk/src/recover.ts',
    within,
    before,
    after,
    why: 'Where there is no segment nobody asks for this.',
  })),
  {
    file: 'disk/src/log.ts',
    within: 'log.marked = true;',
    before: 'true',
    after: 'false',
    why: 'After a rotation the append that asked for it says so itself; a base is marked as read.',
  },
  ...alike(
    'disk/src/flushed.ts',
    'Turns of the two slots differ, and every turn is larger than that of no slot.',
    ['(first?.turn ?? -1) > (second?.turn ?? -1)', '(first?.turn ?? -1) >= (second?.turn ?? -1)'],
  ),
  ...alike('disk/src/queue.ts', 'After the failure nothing that waits is taken any more.', [
    '[]',
    '["Stryker was here"]',
  ]),
  ...alike('disk/src/pieces.ts', 'The first piece of a commit begins a new list.', [
    '[]',
    '["Stryker was here"]',
  ]),
  ...alike(
    'disk/src/stored.ts',
    'Every name that is asked for here comes from the fields themselves.',
    ['fields[name]?.write', 'fields[name].write'],
    ['fields[name]?.read', 'fields[name].read'],
  ),
  ...alike(
    'disk/src/disk.ts',
    'How large a buffer is at first, and whether it is used again, nobody can see.',
    ['compactionBatchBytes + 4096', 'compactionBatchBytes - 4096'],
    ['out.bytes.length > keptBytes', 'true'],
    ['out.bytes.length > keptBytes', 'false'],
    ['out.bytes.length > keptBytes', 'out.bytes.length >= keptBytes'],
    ['out.bytes.length > keptBytes', 'out.bytes.length <= keptBytes'],
    ['{ durable: undefined }', '{}'],
  ),
  ...alike('disk/src/rows-beside.ts', 'Nothing to write is written as well as not.', [
    'placed.length === 0',
    'false',
  ]),
  ...alike(
    'tendermint/src/early.ts',
    'Of nine rounds a member says three things, each once: that is as many as are kept.',
    ['kept.length >= most.messages', 'false'],
    ['kept.length >= most.messages', 'kept.length > most.messages'],
  ),
];
