/** A thread of a swarm: runs one block of seeds after the other. */
import { parentPort } from 'node:worker_threads';
import { type Block, failuresOf } from './blocks.ts';

parentPort?.on('message', (block: Block) => parentPort?.postMessage(failuresOf(block)));
