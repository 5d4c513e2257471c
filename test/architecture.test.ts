import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// @ts-expect-error -- scripts are plain JavaScript, so this one has no types
import { floorsTableOf } from '../scripts/floors-table.mjs';
// @ts-expect-error -- as above
import { galleryOf } from '../scripts/gallery.mjs';
import { anatomyFaults, anatomyTableFaults } from './architecture/anatomy.ts';
import { docCommentFaults } from './architecture/exports.ts';
import {
  cycleFaults,
  dependencyFaults,
  escapeFaults,
  floorFaults,
  nameFaults,
} from './architecture/imports.ts';
import {
  floorsTableFaults,
  manifestFaults,
  protocolReadmeFaults,
  publishedFaults,
} from './architecture/packages.ts';
import { purityFaults } from './architecture/purity.ts';
import { galleryFaults, referenceFaults } from './architecture/references.ts';
import {
  fileLengthFaults,
  functionLengthFaults,
  leftOutFaults,
  lineWidthFaults,
  unfinishedFaults,
} from './architecture/tidy.ts';
import { readTree } from './architecture/tree.ts';

const tree = readTree(fileURLToPath(new URL('..', import.meta.url)));

describe('architecture', () => {
  it.each([
    ['imports point only to a lower floor', floorFaults],
    ['only the registry knows protocols by name', nameFaults],
    ['relative imports stay inside their package', escapeFaults],
    ['every imported package is declared', dependencyFaults],
    ['no file imports itself by a detour', cycleFaults],
    ['pure packages name no time, chance, process or network', purityFaults],
    ['every package says what it is', manifestFaults],
    ['what is published stands alone', publishedFaults],
    ['every protocol README has its five sections', protocolReadmeFaults],
    ['every protocol package has the same anatomy', anatomyFaults],
    ['ARCHITECTURE.md shows the anatomy', anatomyTableFaults],
    ['every public name has a doc comment', docCommentFaults],
    ['what comments refer to is there', referenceFaults],
    ['files are short', fileLengthFaults],
    ['functions are short', functionLengthFaults],
    ['lines are short', lineWidthFaults],
    ['nothing is marked as unfinished', unfinishedFaults],
    ['no test is singled out or left out', leftOutFaults],
  ])('%s', (_name, rule) => {
    expect(rule(tree)).toEqual([]);
  });

  it('the gallery shows the mutants and tests as they are', () => {
    expect(galleryFaults(tree, galleryOf)).toEqual([]);
  });

  it('ARCHITECTURE.md shows the floors as they are', () => {
    expect(floorsTableFaults(tree, floorsTableOf)).toEqual([]);
  });
});
