import type { Plugin } from 'vite';

/** Ends a build in which something imports a module of Node: a browser has none. */
export const noNodeModules: Plugin = {
  name: 'no-node-modules',
  enforce: 'pre',
  resolveId(source, importer): void {
    if (!source.startsWith('node:')) return;
    throw new Error(`${importer} imports ${source}: a browser has no such module`);
  },
};
