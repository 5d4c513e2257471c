import { ScenarioError, type ScenarioFault } from './scenario.ts';

/** Whether a part of a fault is as it should be. */
type Check = (value: unknown) => boolean;

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isInteger: Check = (value) => Number.isSafeInteger(value);
const isNodes: Check = (value) => Array.isArray(value) && value.every(isCount);
const isNode: Check = (value) => value === 'leader' || isCount(value);
const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isFlag: Check = (value) => typeof value === 'boolean';
const isDelay: Check = (value) => {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : '';
  const parts = Object.hasOwn(delays, String(type)) ? delays[String(type)] : undefined;
  return parts !== undefined && wrongPart(value, { type: () => true, ...parts }) === undefined;
};
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);

/** A part with a question mark may be left out. */
type Parts = Readonly<Record<string, Check>>;

/** What each model of delays has. */
const delays: Readonly<Record<string, Parts>> = {
  constant: { delay: isCount },
  uniform: { min: isCount, max: isCount },
  table: {
    quantiles: (value) => Array.isArray(value) && value.length > 0 && value.every(isCount),
  },
};

const disk: Parts = {
  'sync?': isDelay,
  'torn?': isFlag,
  'fails?': isFlag,
  'full?': isFlag,
  'lies?': isFlag,
};

/** What each type of fault has beside `type` and `at`. */
const faults: Readonly<Record<ScenarioFault['type'], Parts>> = {
  crash: { node: isNode, 'boundary?': isCount, 'before?': isText },
  pause: { node: isNode },
  resume: { node: isNode },
  restart: { node: isNode, 'disk?': oneOf('synced', 'nothing', 'backup', 'lost') },
  timeout: { node: isCount },
  backup: { node: isCount },
  split: { groups: (value) => Array.isArray(value) && value.every(isNodes) },
  cut: { from: isNodes, to: isNodes, 'kinds?': isTexts },
  heal: {},
  skew: {
    ...{ node: isCount, 'by?': isInteger },
    ...{ 'driftPerBillion?': isInteger, 'source?': isInteger },
  },
  disk: { node: isCount, disk: (value) => wrongPart(value, disk) === undefined },
};

/** The first part of `value` that is missing, wrong or none of `parts`. */
function wrongPart(value: unknown, parts: Parts): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'an object';
  const given = new Map(Object.entries(value));
  for (const [key, check] of Object.entries(parts)) {
    const name = key.replace('?', '');
    if (given.has(name) ? !check(given.get(name)) : name === key) return name;
    given.delete(name);
  }
  return [...given.keys()][0];
}

/**
 * A fault as `--fault` takes it: the JSON that stands in scenarios and traces, times in
 * microseconds. It tells what `--crash` and `--split` have no words for. Throws a ScenarioError
 * that names what is wrong.
 */
export function faultOf(text: string): ScenarioFault {
  const wrong = (what: string): ScenarioError =>
    new ScenarioError(
      'QL105',
      `--fault ${what}; write e.g. --fault '{"type":"pause","at":900000,"node":1}', with times ` +
        'in microseconds.',
    );
  let fault: unknown;
  try {
    fault = JSON.parse(text);
  } catch {
    throw wrong('takes JSON');
  }
  const type = typeof fault === 'object' && fault !== null && 'type' in fault ? fault.type : '';
  const parts = Object.hasOwn(faults, String(type)) ? faults[type as 'crash'] : undefined;
  if (parts === undefined) throw wrong(`takes a type of ${Object.keys(faults).join(', ')}`);
  const bad = wrongPart(fault, { type: () => true, at: isCount, ...parts });
  if (bad !== undefined) throw wrong(`${String(type)} has no good "${bad}"`);
  // Every part was looked at, and there is no other one.
  return fault as ScenarioFault;
}
