#!/usr/bin/env node
import { main } from './program.ts';
import { guardStreams } from './streams.ts';

guardStreams();
await main(process.argv);
