/** Watches over something that is under way in another thread. */

/** What is heard of it, and how the watch ends. */
export interface Watch {
  heard(): void;
  end(): void;
}

/** Who is told. */
export interface Watcher {
  /** The tab slept for so many seconds, and is seen again. */
  slept(seconds: number): void;
  /** Nothing was heard for {@link silentMs}, while the tab was awake. */
  silent(): void;
}

/** Milliseconds without a word after which a thread is taken to be gone; it says many a second. */
export const silentMs = 20_000;

const tickMs = 1000;
/** A timer that is so late was not late, but asleep. */
const asleepMs = 5000;

/** Begins to watch. */
export function watchOver({ slept, silent }: Watcher): Watch {
  let ticked = performance.now();
  let last = ticked;
  let asleep = 0;
  const tick = (): void => {
    const now = performance.now();
    const late = now - ticked - tickMs;
    ticked = now;
    // Timers stand still while a tab sleeps, and so do its threads: a word is owed from now on.
    if (late > asleepMs) {
      asleep += late;
      last = now;
    }
    if (asleep > 0 && !document.hidden) {
      slept(Math.round(asleep / 1000));
      asleep = 0;
    }
    if (now - last <= silentMs) return;
    last = now;
    silent();
  };
  const timer = setInterval(tick, tickMs);
  return {
    heard: () => void (last = performance.now()),
    end: () => clearInterval(timer),
  };
}
