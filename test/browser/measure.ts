/** What scrubbing through a run takes, and what a long one takes of memory. */
import { completeScenario, runScenario } from '@quorumlab/harness';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { type Arrow, type Layout, layoutOf, modelOf } from '@quorumlab/trace-view';
import type { Page } from 'playwright-core';
import { goTo } from './walk.ts';

/** A run by the size of its picture, and what it is there to show. */
interface Sample {
  readonly name: string;
  readonly n: number;
  readonly f: number;
  readonly count: number;
  /** `lan` unless told. */
  readonly network?: string;
  /** Whether every message is drawn. */
  readonly everything: boolean;
}

/** What was measured. */
interface Measured {
  readonly events: number;
  /** Arrows of the whole picture, and those at heights in sight where most of them are. */
  readonly inAll: number;
  readonly inSight: number;
  /** Milliseconds of the page's thread from a move to the end of its frame: steps and jumps. */
  readonly median: number;
  readonly ninth: number;
  /** Milliseconds of computing of the page's process for each move, whatever else runs here. */
  readonly work: number;
  /** Megabytes of the page's heap. */
  readonly heap: number;
}

/** The trace of a run of PBFT. */
function traceOf({ n, f, count, network = 'lan' }: Sample): string {
  const trace = traceBuffer();
  runScenario(completeScenario({ protocol: 'pbft', n, f, count, network }), { trace });
  return trace.text();
}

/** What part of a picture stands in its frame after a move. */
interface Sight {
  readonly count: number;
  readonly top: number;
}

/** Moves the scale to a place; its frame is made when this has come to an end. */
const start = `
  const scale = document.querySelector('.scrubber input[type=range]');
  const all = Number(scale.max);
  const frame = (count) => new Promise((done) => requestAnimationFrame(() => {
    const begun = performance.now();
    scale.value = String(count);
    scale.dispatchEvent(new Event('input', { bubbles: true }));
    // Its turn comes when the frame has been made.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now() - begun);
    port2.postMessage(0);
  }));`;

/** Goes through all of a run, and tells what was in the frame where. */
const look = `(async () => {${start}
  const box = document.querySelector('.picture');
  const sights = [];
  for (let i = 0; i < 120; i++) {
    await frame(Math.round(all * i / 119));
    sights.push({ count: Number(scale.value), top: box.scrollTop });
  }
  return { sights, height: box.clientHeight };
})()`;

/** Moves the scale 60 times, and tells for each how long its frame took. */
const scrub = (middle: number): string => `(async () => {${start}
  const times = [];
  // From the end to the start, then small steps where most is to be seen.
  for (let i = 0; i < 30; i++) times.push(await frame(Math.round(all * (1 - i / 29))));
  for (let i = 0; i < 30; i++) times.push(await frame(Math.min(all, ${middle}) - 29 + i));
  return times;
})()`;

/** Where most arrows are at heights that are in sight, and how many: all lanes are drawn. */
async function busiest(page: Page, layout: Layout): Promise<{ count: number; arrows: number }> {
  const { sights, height } = (await page.evaluate(look)) as {
    readonly sights: readonly Sight[];
    readonly height: number;
  };
  const all = sights.map(({ count, top }) => {
    const at = layout.shown[count - 1] ?? -1;
    const isSeen = ({ end, from, to }: Arrow): boolean =>
      end <= at && Math.max(from[1], to[1]) >= top && Math.min(from[1], to[1]) <= top + height;
    return { count, arrows: layout.arrows.filter(isSeen).length };
  });
  return all.reduce((most, each) => (each.arrows > most.arrows ? each : most));
}

/** Opens a run as somebody does who has its trace, and moves through it. */
export async function measureRun(page: Page, sample: Sample): Promise<Measured> {
  const buffer = Buffer.from(traceOf(sample));
  await page.reload();
  await goTo(page, '#/trace', 'Open a trace');
  const file = { name: 'a.trace.ndjson', mimeType: 'text/plain', buffer };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByText(/every line is the same/).waitFor({ timeout: 180_000 });
  if (sample.everything) await page.getByLabel(/^every message/).check();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metric = async (name: string): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((each) => each.name === name)?.value ?? 0;
  };
  const layout = layoutOf(modelOf(parseTrace(buffer.toString())), sample.everything);
  const { count, arrows: inSight } = await busiest(page, layout);
  await page.evaluate(scrub(count));
  const before = await computing(page);
  const times = (await page.evaluate(scrub(count))) as readonly number[];
  const after = await computing(page);
  const work = Math.max(...[...after].map(([id, time]) => time - (before.get(id) ?? 0)));
  await session.send('HeapProfiler.collectGarbage');
  const heap = (await metric('JSHeapUsedSize')) / 1_000_000;
  const sorted = [...times].sort((one, two) => one - two);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  const events = buffer.toString().split('"k":').length - 1;
  return {
    events,
    inAll: layout.arrows.length,
    inSight,
    median: at(0.5),
    ninth: at(0.9),
    work: work / times.length,
    heap,
  };
}

/** Milliseconds that each process of the browser that shows pages has computed. */
async function computing(page: Page): Promise<ReadonlyMap<number, number>> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo = [] } = (await session?.send('SystemInfo.getProcessInfo')) ?? {};
  await session?.detach();
  return new Map(
    processInfo
      .filter(({ type }) => type === 'renderer')
      .map(({ id, cpuTime }) => [id, cpuTime * 1000]),
  );
}

/** Where all messages take as long as each other, all of a phase stand beside each other. */
const atOnce = { n: 70, f: 23, count: 1, network: 'psync:gst=1us,delta=10us' };

/** The runs that are measured, with the milliseconds that a frame may take. */
export const samples: readonly (Sample & { readonly most: number })[] = [
  { name: '1,500 arrows', n: 7, f: 2, count: 16, everything: true, most: 16 },
  { name: 'dense', n: 31, f: 10, count: 1, everything: true, most: 16 },
  { name: '1,500 arrows in sight', ...atOnce, everything: true, most: 16 },
  { name: '20,000 events', n: 7, f: 2, count: 90, everything: false, most: 33 },
  { name: '20,000 events, every message', n: 7, f: 2, count: 90, everything: true, most: 33 },
];

/** 100,000 events, for memory. */
export const long: Sample = {
  ...{ name: '100,000 events', n: 13, f: 4, count: 135, everything: false },
};
