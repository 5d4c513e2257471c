/**
 * What a state of 1 GiB costs a group of real processes:
 * `node_modules/.bin/node --conditions=source test/node/large-state.ts [protocol [MiB]]`.
 */
import { largeStory } from './support/large.ts';

const [name = 'raft', mebibytes = '1024'] = process.argv.slice(2);
const { elections, memory } = await largeStory(
  name,
  name === 'raft' ? 3 : 4,
  Number(mebibytes),
  console.log,
);
console.log(
  `elections: ${elections}; most memory of a replica: ${memory} MiB, ` +
    `${(memory / Number(mebibytes)).toFixed(2)} times the state`,
);
